package agent_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
)

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	hexes   = "0123456789abcdef"
	alnum   = lower + upper + digits
	base64s = alnum + "+/"
)

// draw returns n random letters of an alphabet, with a letter and a digit among
// them where it has both.
func draw(r *rand.Rand, alphabet string, n int) string {
	for {
		out := make([]byte, n)
		for i := range out {
			out[i] = alphabet[r.IntN(len(alphabet))]
		}
		s := string(out)
		if !strings.ContainsAny(alphabet, digits) || !strings.ContainsAny(alphabet, lower+upper) || strings.ContainsAny(s, digits) && strings.ContainsAny(s, lower+upper) {
			return s
		}
	}
}

// A kind of secret makes one, and the line or lines that it stands in.
type kind struct {
	name string
	make func(r *rand.Rand) (secret, text string)
}

// in returns a kind whose text is a format with the secret in it.
func in(name, format string, secret func(r *rand.Rand) string) kind {
	return kind{name, func(r *rand.Rand) (string, string) {
		s := secret(r)
		return s, strings.ReplaceAll(format, "@@", s)
	}}
}

func of(prefix, alphabet string, n int) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return prefix + draw(r, alphabet, n) }
}

// chosen returns a password as people choose theirs: a word and a number.
func chosen(r *rand.Rand) string {
	words := []string{"hunter", "winter", "Summer", "monkey", "Dragon", "sunshine"}
	return words[r.IntN(len(words))] + draw(r, digits, 1+r.IntN(4))
}

func privateKey(name string) kind {
	return kind{"private key " + name, func(r *rand.Rand) (string, string) {
		var lines []string
		for range 6 {
			lines = append(lines, draw(r, base64s, 64))
		}
		lines = append(lines, draw(r, base64s, 22)+"==")
		body := strings.Join(lines, "\n")
		return body, "-----BEGIN " + name + "-----\n" + body + "\n-----END " + name + "-----"
	}}
}

var kinds = []kind{
	in("github", `token := "@@"`, of("ghp_", alnum, 36)),
	in("github fine-grained", `export GH=@@`, of("github_pat_", alnum+"_", 82)),
	in("gitlab", `glab auth login --token @@`, of("glpat-", alnum, 20)),
	in("aws id", `aws_access_key_id = @@`, of("AKIA", upper+digits, 16)),
	in("aws secret", `aws_secret_access_key = @@`, of("", base64s, 40)),
	in("slack bot", `SLACK: "@@"`, func(r *rand.Rand) string {
		return "xoxb-" + draw(r, digits, 12) + "-" + draw(r, digits, 12) + "-" + draw(r, alnum, 24)
	}),
	in("slack webhook", `curl https://hooks.slack.com/services/@@`, func(r *rand.Rand) string {
		return "T" + draw(r, upper+digits, 8) + "/B" + draw(r, upper+digits, 8) + "/" + draw(r, alnum, 24)
	}),
	in("stripe", `stripe.Key = "@@"`, of("sk_live_", alnum, 24)),
	in("google api key", `key: @@`, of("AIza", alnum+"_-", 35)),
	in("openai", `client = OpenAI(api_key="@@")`, of("sk-proj-", alnum+"_-", 60)),
	in("anthropic", `ANTHROPIC="@@"`, of("sk-ant-api03-", alnum+"_-", 93)),
	in("hugging face", `login(token="@@")`, of("hf_", lower+upper, 34)),
	in("npm", `//registry.npmjs.org/:_authToken=@@`, of("npm_", alnum, 36)),
	in("pypi", `password = @@`, of("pypi-AgEIcHlwaS5vcmc", alnum+"_-", 70)),
	in("sendgrid", `SENDGRID=@@`, func(r *rand.Rand) string { return "SG." + draw(r, alnum, 22) + "." + draw(r, alnum, 43) }),
	in("twilio", `TWILIO_AUTH_TOKEN=@@`, of("", hexes, 32)),
	in("discord webhook", `https://discord.com/api/webhooks/1034567890123/@@`, of("", alnum+"_-", 68)),
	in("telegram", `bot = Bot("@@")`, func(r *rand.Rand) string { return draw(r, "123456789", 9) + ":AA" + draw(r, alnum+"_-", 33) }),
	in("digitalocean", `do: @@`, of("dop_v1_", hexes, 64)),
	in("shopify", `X-Shopify-Access-Token: @@`, of("shpat_", hexes, 32)),
	in("jwt", `Authorization: Bearer @@`, func(r *rand.Rand) string {
		part := func(n int) string { return "eyJ" + draw(r, alnum, n) }
		return part(33) + "." + part(60) + "." + draw(r, alnum+"_-", 43)
	}),
	in("basic header", `-H "Authorization: Basic @@"`, func(r *rand.Rand) string {
		return base64.StdEncoding.EncodeToString([]byte("admin:" + draw(r, alnum, 14)))
	}),
	privateKey("RSA PRIVATE KEY"), privateKey("OPENSSH PRIVATE KEY"), privateKey("EC PRIVATE KEY"), privateKey("PGP PRIVATE KEY BLOCK"),
	in("environment", `DB_PASSWORD=@@`, of("", alnum, 9)),
	in("environment, short", `export REDIS_PASSWORD=@@`, of("hunter", digits, 1)),
	in("environment, quoted", `SMTP_PASSWORD="@@"`, of("pa55 ", alnum+"!%", 10)),
	in("postgres url", `postgres://app:@@@db.internal:5432/app`, of("", alnum, 12)),
	in("redis url", `redis://:@@@cache:6379/0`, of("", alnum, 10)),
	in("mongo url", `mongodb+srv://root:@@@cluster0.mongodb.net`, of("", alnum+"!*", 14)),
	in("amqp url", `amqp://guest-app:@@@mq:5672/%2f`, of("", alnum, 11)),
	in("git remote", `origin  https://oauth2:@@@git.example.org/a/b.git (fetch)`, of("", alnum, 20)),
	in("yaml password", `  password: @@`, of("", alnum, 12)),
	in("json password", `  "password": "@@",`, of("", alnum+"!#%", 14)),
	in("connection string", `Server=db;User Id=sa;Password=@@;Encrypt=true`, of("", alnum, 12)),
	in("azure storage", `AccountName=x;AccountKey=@@;EndpointSuffix=core.windows.net`, func(r *rand.Rand) string { return draw(r, base64s, 86) + "==" }),
	in("docker login", `docker login -u app --password @@ registry.example.org`, of("", alnum, 16)),
	in("curl user", `curl -u deploy:@@ https://api.example.org/v1`, of("", alnum, 15)),
	in("query", `GET /v1/items?access_token=@@&page=2`, of("", alnum, 32)),
	in("netrc", `machine git.example.org login bot password @@`, of("", alnum, 18)),
	in("vault", `VAULT=@@`, of("hvs.", alnum+"_-", 95)),
	in("environment of a container", `docker run -e DB_PASSWORD=@@ db`, chosen),
	in("properties", `spring.datasource.password=@@`, chosen),
	in("yaml, chosen", `  password: @@`, chosen),
	in("connection string, chosen", `Server=db;User Id=sa;Password=@@;Encrypt=true`, chosen),
	in("key with a slash", `client_secret = "@@"`, of("/", base64s, 39)),
	in("hexadecimal key", `ETH_PRIVATE_KEY=@@`, of("0x", hexes, 64)),
	in("discord bot", `token = @@`, func(r *rand.Rand) string {
		return "M" + draw(r, alnum, 23) + "." + draw(r, alnum, 6) + "." + draw(r, alnum+"_-", 27)
	}),
	in("json, signs", `  "password": "@@",`, func(r *rand.Rand) string { return draw(r, "#%$!/.", 1) + draw(r, alnum, 11) }),
	in("generic", `client_secret: "@@"`, of("", alnum, 40)),
}

// dress puts a text where secrets turn up: each returns it as it then stands.
var dress = map[string]func(string) string{
	"file":     func(s string) string { return "first line\n" + s + "\nlast line\n" },
	"diff":     func(s string) string { return "@@ -1,2 +1,3 @@\n context\n" + eachLine(s, "+") + " context\n" },
	"numbered": func(s string) string { return numberedLines(s) },
	"grep":     func(s string) string { return eachLine(s, "deploy/settings.txt:12:") },
	"terminal": func(s string) string { return "\x1b[32m$\x1b[0m cat x\n\x1b[1m" + s + "\x1b[0m\n\x1b[32m$\x1b[0m " },
	"output":   func(s string) string { return "exit code 0\n" + s + "\n[changed a.go]\n" },
	"json":     inString,
	"crlf":     func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") + "\r\n" },
}

// inString is s as a string of JSON.
func inString(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return `{"output":` + string(raw) + "}\n"
}

func eachLine(s, prefix string) string {
	return prefix + strings.ReplaceAll(s, "\n", "\n"+prefix) + "\n"
}

func numberedLines(s string) string {
	var b strings.Builder
	for i, line := range strings.Split(s, "\n") {
		fmt.Fprintf(&b, "%4d\t%s\n", i+7, line)
	}
	return b.String()
}

// TestCorpus plants 2,000 secrets of 52 kinds and lets none leave.
func TestCorpus(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	planted, left := 0, 0
	for planted < 2000 {
		screen := (&agent.Gate{Key: []byte("key")}).Screen(nil)
		for _, k := range kinds {
			for form, wear := range dress {
				secret, text := k.make(r)
				worn := wear(text)
				planted++
				out := screen.Clean(worn)
				for line := range strings.Lines(secret) {
					if strings.Contains(out, strings.TrimSpace(line)) {
						left++
						t.Errorf("%s in a %s leaves:\n%s", k.name, form, out)
					}
				}
				if back := screen.Restore(out); back != worn {
					t.Errorf("%s in a %s came back as\n%s\nnot\n%s", k.name, form, back, worn)
				}
			}
		}
	}
	t.Logf("%d secrets of %d kinds planted, %d left", planted, len(kinds), left)
}
