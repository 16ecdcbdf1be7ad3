package agent_test

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
)

const secret = "xK9qLm2Tv7Wc4Rb8"

// TestScreenKnows: what was a secret in one text is one in the next, where
// nothing says so, and a text that has left leaves the same way again.
func TestScreenKnows(t *testing.T) {
	screen := (&agent.Gate{}).Screen(nil)
	if got := screen.Clean("before: " + secret); !strings.Contains(got, secret) {
		t.Errorf("nobody could know: %s", got)
	}
	screen.Clean("API_TOKEN=" + secret)
	if got := screen.Clean("later: (" + secret + ")"); strings.Contains(got, secret) {
		t.Errorf("it leaves: %s", got)
	}
	if got := screen.Clean("later: x" + secret + "y"); !strings.Contains(got, secret) {
		t.Errorf("a part of a word was replaced: %s", got)
	}
	if got := screen.Clean("before: " + secret); !strings.Contains(got, secret) {
		t.Errorf("what has left changed: %s", got)
	}
}

// TestScreenLearns: a piece of a file shows no more than the whole would.
func TestScreenLearns(t *testing.T) {
	body := "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
	screen := (&agent.Gate{}).Screen(func(path string) ([]byte, error) {
		if path != "/ws/key.txt" {
			return nil, fs.ErrNotExist
		}
		return []byte("-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n"), nil
	})
	if got := screen.Clean("   2\t"+body+"\n", "/ws/key.txt", "/ws/gone"); strings.Contains(got, body) {
		t.Errorf("it leaves: %s", got)
	}
}

func TestScreenJSON(t *testing.T) {
	const odd = `a"b\c9!x`
	screen := (&agent.Gate{}).Screen(nil)
	p := strings.TrimPrefix(screen.Clean("DB_PASSWORD='"+odd+"'"), "DB_PASSWORD='")
	p = strings.TrimSuffix(p, "'")
	args, err := json.Marshal(map[string]string{"command": "echo " + p})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(screen.RestoreJSON(args), &got); err != nil || got["command"] != "echo "+odd {
		t.Errorf("%v, %v", got, err)
	}
}

// FuzzScreen: what was cleaned comes back byte for byte, and the same text is
// cleaned the same way, also by another screen of the same key.
func FuzzScreen(f *testing.F) {
	f.Add("DB_PASSWORD=hunter2 and hunter2", "url postgres://a:hunter2@b")
	f.Add("TOKEN="+secret+"\n", secret)
	f.Add("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END", "x\x1b[1mMIIEvQIBADANBgkqhkiG9w0BAQEFAASC")
	f.Fuzz(func(t *testing.T, one, two string) {
		if strings.Contains(one+two, "WITHHELD_") {
			t.Skip()
		}
		gate := &agent.Gate{Key: []byte("key")}
		screen, other := gate.Screen(nil), gate.Screen(nil)
		for _, s := range []string{one, two, one} {
			cleaned := screen.Clean(s)
			if back := screen.Restore(cleaned); back != s {
				t.Fatalf("%q left as %q and came back as %q", s, cleaned, back)
			}
			if again := screen.Clean(s); again != cleaned {
				t.Fatalf("%q left as %q, then as %q", s, cleaned, again)
			}
			if there := other.Clean(s); there != cleaned {
				t.Fatalf("%q left as %q here, as %q there", s, cleaned, there)
			}
		}
	})
}
