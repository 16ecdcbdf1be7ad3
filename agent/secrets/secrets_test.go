package secrets_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent/secrets"
)

// marked returns s with «» around its secrets.
func marked(s string) string {
	var b strings.Builder
	at := 0
	for _, f := range secrets.Default().Find(s) {
		b.WriteString(s[at:f.Span.Start] + "«" + s[f.Span.Start:f.Span.End] + "»")
		at = f.Span.End
	}
	return b.String() + s[at:]
}

func TestFind(t *testing.T) {
	for _, want := range []string{
		"DB_PASSWORD=«hunter2»",
		"+export DB_PASSWORD='«hunter2»'",
		"config/app.env:3:API_TOKEN=«abcd-1234»",
		"redis://:«p@ss3word»@cache:6379",
		`{"url":"postgres://app:«s3cr3t»@db/app"}`,
		`{\"password\":\"«aB3dE5fG7»\",\"user\":\"x\"}`,
		"\x1b[33mTOKEN=«abc123def»\x1b[0m",
		"kind: Secret\ndata:\n  user: «YWRtaW4=»\n  other: «c2VjcmV0»\nkind: x\n",
		"apiVersion: v1\nkind: Secret\nmetadata:\n  name: plain-name\nstringData:\n  cert: «cGxhaW4x»\n",
		"-----BEGIN PRIVATE KEY-----\n«MIIEvQIBADANBgkqhkiG9w0BAQEFAASC»\n«Ab3=»\n-----END PRIVATE KEY-----",
		"+-----BEGIN PRIVATE KEY-----\n+«MIIEvQIBADANBgkqhkiG9w0BAQEFAASC»\n and more",
		"docker run -e DB_PASSWORD=«hunter2» db",
		"DB_PASSWORD=«john.Doe99»",
		"DB_PASSWORD=«correct.horse»",
		"POSTGRES_PASSWORD: «postgres_password»",
		"spring.datasource.password=«Summer123»",
		"password = «Winter22»",
		"Server=db;User Id=sa;Password=«Hunter2»;Encrypt=true",
		"ETH_PRIVATE_KEY=«0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318»",
		`client_secret = "«wJalrXUtnFEMI/K7MDENGabPxRfiCYxyzKEYabcd»"`,
		"AWS_SECRET_ACCESS_KEY=«/aGk3bPxRfiCYzzzKEYwJalrXUtnFEMIaK7MDENG»",
		"token = «MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs»",
		"VAULT_SECRET_ID=«7658fa33-b1bf-4580-990f-fac5896773d3»",
		"jdbc:postgresql://db/app?user=app&password=«hunter2»",
		"setx DB_PASSWORD «hunter2»",
		"aws configure set aws_secret_access_key «wJalrXUtnFEMIK7MDENGbPxRfiCYqwertzuio»",
		"db.internal:5432:app:deploy:«s3cr3tPgPw»",
		"*:*:*:postgres:«s3cr3tPgPw»",
		"ansible_ssh_pass=«hunter2»",
		"ansible_become_pass: «hunter2»",
		`dbPass: '«hunter2x»'`,
		`psk="«hunter2hunter2»"`,
		"<password>«hunter2x»</password>",
		`<add key="DbPassword" value="«hunter2x9»"/>`,
		`    password "«hunter2x»"`,
		"requirepass «hunter2x9»",
		"AIRTABLE «pat9kQ2LmT7vWc4Rb.8f14e45fceea167a5a36dedd4bea2543c9f0f895fb98ab9159f51fd0297e236d»",
		`"password": "«SR%69xjRItmmhT»",`,
		"- name: DB_PASSWORD\n  value: «hunter2»\n",
		`{"name":"DB_PASSWORD","value":"«hunter2»"}`,
		"ENV DB_PASSWORD «hunter2»",
		"export DB_PASSWORD=$'«hunter2»'",
		`os.environ['API_KEY']='«abcd1234efgh»'`,
		"run TOKEN=«JBSWY3DPEHPK3PXP» now",
		"echo «hunter2» | docker login -u x --password-stdin",
		"helm upgrade x --set db.password=«hunter22» y",
		"kubectl create secret generic x --from-literal=password=«hunter22»",
		"twine upload -u me -p «hunter2x» dist/x.whl",
		"ldapsearch -D cn=admin -w «hunter2x»",
		"smbclient -U user%«hunter2x» //h/s",
		"openssl rsa -passin pass:«hunter2x» -in k",
		"Authorization: «a1b2c3d4e5f60718293a4b5c6d7e8f90»",
		"root:«$6$saltsalt$qJ2kXv9Tn1Lz4Rb7Yc0Hf3Dg6Ms8Pw5Ua2Ei.Ko/Vt1»:19000:0:99999:7:::",
		"admin:«$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy»",
		`"password": "«aB3(dE5)fG[7]h»"`,
		`"password": "«p@ss{w}ord1»"`,
		"password: «aB3(dE5)fG7»",
		"//registry.example.org/:_authToken=«0123abcd4567efgh»",
		`"private_key": "-----BEGIN PRIVATE KEY-----\n«MIIEvQIBADANBgkqhkiG9w0BAQEFAASC»\n«MIIEvQIBADANBgkqhkiG9w0BAQEFAAZZ»\n-----END PRIVATE KEY-----\n"`,
	} {
		if diff := cmp.Diff(want, marked(strings.NewReplacer("«", "", "»", "").Replace(want))); diff != "" {
			t.Errorf("%q: %s", want, diff)
		}
	}
}

const pat = "ghp_x9Kq2LmT7vWc4RbN8sYd1HfJ6gPzA3eU5oQi"

// TestDisguised: a secret is one in whatever form it is shown. A form that is not
// known is in PRIVACY.md.
func TestDisguised(t *testing.T) {
	in16 := func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") }
	for name, want := range map[string]string{
		"JSON escapes":                 `{"token":"«` + strings.Replace(pat, "x9", `\u0078\u0039`, 1) + `»"}`,
		"program's escapes":            `t = "«` + strings.Replace(pat, "_", `\x5f`, 1) + `»"`,
		"in an address":                "https://x.org/?a=«" + strings.Replace(pat, "_", "%5F", 1) + "»",
		"a password in one":            "postgres://app:«p%40ss%21w0rd»@db/app",
		"continued":                    "curl -H «ghp_x9Kq2LmT7vWc4RbN»\\\n  «8sYd1HfJ6gPzA3eU5oQi» https://x.org",
		"continued in a diff":          "+curl «ghp_x9Kq2LmT7vWc4RbN»\\\n+  «8sYd1HfJ6gPzA3eU5oQi» https://x.org",
		"coloured":                     "token «ghp_x9Kq\x1b[31m2LmT7vWc4RbN8s\x1b[0mYd1HfJ6gPzA3eU5oQi» ok",
		"each letter coloured":         "«" + strings.Join(strings.Split(pat, ""), "\x1b[1m") + "»",
		"UTF-16":                       in16("token ") + "\x00«" + in16(pat) + "»\x00" + in16(" ok"),
		"base64":                       "data: «" + base64.StdEncoding.EncodeToString([]byte("token: "+pat)) + "»\n",
		"base64 of an address":         "x: «" + base64.RawURLEncoding.EncodeToString([]byte("postgres://app:s3cr3t@db/app?")) + "»\n",
		"a key in a diff":              "+-----BEGIN PRIVATE KEY-----\n+«MIIEvQIBADANBgkqhkiG9w0BAQEFAASC»\n+«MIIEvQIBADANBgkqhkiG9w0BAQEFAAZZ»\n+-----END PRIVATE KEY-----\n",
		"a key in a string":            `"-----BEGIN PRIVATE KEY-----\n«MIIEvQIBADANBgkqhkiG9w0BAQEFAASC»\n-----END PRIVATE KEY-----"`,
		"a key in JSON in JSON":        `"{\"k\":\"-----BEGIN PRIVATE KEY-----\\n«MIIEvQIBADANBgkqhkiG9w0BAQEFAASC»\\n-----END PRIVATE KEY-----\"}"`,
		"a string in a string in JSON": `{"a":"{\"b\":\"{\\\"password\\\":\\\"«hunter2x»\\\"}\"}"}`,
		"slashes of JSON":              `"url": "postgres:\/\/app:«s3cr3tpw»@db\/app"`,
		"entities of HTML":             `{&quot;password&quot;:&quot;«hunter2x»&quot;}`,
		"all of it in an address":      `%7B%22password%22%3A%22«hunter2x»%22%7D`,
		"a password's letter":          `{"user":"x","password":"«hunt\u0065r2!»"}`,
		"the value of a variable":      `DB_PASSWORD=«hunter\u0032x9»`,
	} {
		if diff := cmp.Diff(want, marked(strings.NewReplacer("«", "", "»", "").Replace(want))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestNoSecret(t *testing.T) {
	for _, s := range []string{
		"password := os.Getenv(\"DB_PASSWORD\")",
		"DB_PASSWORD=$DB_PASSWORD",
		"DB_PASSWORD=${DB_PASSWORD:-}",
		"DB_PASSWORD=<your password>",
		"PASSWORD_FILE=/run/secrets/db",
		"TOKEN = settings.TOKEN",
		"token: string;",
		"token: Uint8Array",
		"password: ******",
		"postgres://user:password@localhost/db",
		"https://example.org:8080/a@b",
		"func (k *Key) Token() (token string, err error)",
		"const TokenKind = iota",
		"if s.DataModelS3Configuration != nil {",
		"PPPIOCSPASS = 0x40107447",
		"KEY_SPEC_REQKEY_AUTH_KEY = -0x7",
		`const PASSWORD_TOO_WEAK = "passwordTooWeak";`,
		`WEAK_PASSWORD: "auth/weak-password";`,
		`INVALID_LOGIN_CREDENTIALS: "auth/invalid-credential";`,
		`ResetPassword = "identitytoolkit#ResetPasswordResponse",`,
		`export const SIGNIN_TOKEN = "/oauth2/v2.0/token";`,
		`TOKEN_HOST = "https://oauth2.googleapis.com/token"`,
		"const password = result.groups?.password;",
		"p12.generateKey = forge.pbe.generatePkcs12Key;",
		"var utf8ValidatedKeys = validation.utf8;",
		"config.PrivateKey = testRSA2048PrivateKey",
		"const int kApiTaggedSize = kApiInt32Size;",
		"t.FourKeyMap=t.TwoKeyMap=void 0;",
		"NETKIT_PASS     = C.NETKIT_PASS",
		"this._auth = _authProvider.getImmediate({optional: true});",
		"var is_valid_auth = valid_auth_regex.test(before_at);",
		`BEARER_TOKEN_FORMAT = "Bearer %s"`,
		"{\"access_token\":\"synthetic-token-%d\",\"expires_in\":3600}",
		"{\"access_token\": \"exchanged-token-123\"}",
		"      SECRET: This represents a secret.",
		"    --- PASS: TestGoList/GOPATH (0.03s)",
		`SECRET_KEY = 'aws_secret_access_key'`,
		"{token.FLOAT, \"-01234567890.213E0\"},",
		"PWD=/home/me/project",
		"sign-key-sha3-384: Jv8_JiHiIzJVcO9M55pPdqSDWUvuhfDIBJUS-3VW7F_idjix7Ffn5qMxB21ZQuij",
		"    password=args.forward_ssh_password)",
		"    page_token=None):",
		"Ed25519PrivateKey = ed25519.Ed25519PrivateKey",
		"    user=self.DB_USER, password=self.DB_PASS",
		"    passphrase=passphrase))",
		"DEFAULT_SECRET: Uint8Array;",
		"var TOKEN = __webpack_require__2(21).TOKEN;",
		"this.password = arg2;",
		"if !strings.Contains(authorization, \"/us-east-1/bedrock/aws4_request\") {",
		`{"password": "^[a-z0-9]{8,}$"}`,
		`{"password": "{db.password1}"}`,
		"-----BEGIN RSA PRIVATE KEY-----\n...\n-----END\nhttps://www.googleapis.com/auth/bigquery",
		"AKIAIOSFODNN7EXAMPLE",
		"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
		"integrity: " + base64.StdEncoding.EncodeToString([]byte("a sentence about a token and a password, which is none")),
		`fmt.Printf("%3d%2Fx \u0041 \x41 \
			go on", n)`,
		"DB_PASSWORD=WITHHELD_assigned_secret_0123456789ab",
		"apiVersion: v1\nkind: ConfigMap\ndata:\n  user: YWRtaW4=\n",
	} {
		if got := marked(s); got != s {
			t.Errorf("false alarm: %s", got)
		}
	}
}

// FuzzFind: secrets are in order, apart, and each in one line.
func FuzzFind(f *testing.F) {
	f.Add("DB_PASSWORD=hunter2\nghp_x9Kq2LmT7vWc4RbN8sYd1HfJ6gPzA3eU5oQi\\\"\x1b[0m")
	f.Add("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END")
	f.Add("ghp_x9Kq2LmT7vWc4RbN\\\n 8sYd1HfJ6gPzA3eU5oQi %41\x00\x1b[0mpassword=\\u0041bcd1234")
	f.Add("kind: Secret\ndata:\n a: bbbbbb\n---\nx://y:zzzz@h")
	f.Fuzz(func(t *testing.T, s string) {
		end := 0
		for _, found := range secrets.Default().Find(s) {
			if found.Span.Start < end || found.Span.End <= found.Span.Start || found.Span.End > len(s) {
				t.Fatalf("%v behind %d of %q", found, end, s)
			}
			end = found.Span.End
			if secret := s[found.Span.Start:end]; strings.Contains(secret, "\n") {
				t.Fatalf("%q has several lines", secret)
			}
		}
	})
}
