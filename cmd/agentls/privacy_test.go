package main

import (
	"strings"
	"testing"
)

const aToken = "ghp_x9Kq2LmT7vWc4RbN8sYd1HfJ6gPzA3eU5oQi"

// TestPrivacy: secrets and withheld files do not leave, what the model writes
// has the secret again, and the log says what was kept back.
func TestPrivacy(t *testing.T) {
	u := newUser(t, map[string]string{
		"conf.go": "package conf\n\nconst token = \"" + aToken + "\"\n", "dump.sql": "insert\n", "notes.txt": "x\n", ".agentlsignore": "*.sql\n!.env\n",
	})
	u.configure("withhold = ['notes.txt']\n")
	server := u.model(`canary: ` + aToken + `
-- turn1.reply --
call read_file {"path":"conf.go"}
call read_file {"path":"dump.sql"}
call read_file {"path":"notes.txt"}
-- turn2.expect --
const token = "WITHHELD_
dump.sql is withheld from models by the deny list (.agentlsignore: *.sql)
notes.txt is withheld from models by the deny list (your settings: notes.txt)
-- turn2.reply --
patch:
*** Begin Patch
*** Update File: conf.go
@@
 package conf
+// Here it is.
*** End Patch
-- turn3.reply --
message: Done.
`)
	u.run("run", "do it", "--yes").want(t, 0, "applied")
	if err := server.Done(); err != nil {
		t.Error(err)
	}
	if got := u.read("conf.go"); !strings.Contains(got, "// Here it is.") || !strings.Contains(got, aToken) {
		t.Errorf("conf.go is %s", got)
	}
	log := u.run("privacy", "log", "--json")
	log.want(t, 0, "conf.go", "*.sql", "notes.txt", "github")
	if strings.Contains(log.out, aToken) {
		t.Errorf("the log has the secret: %s", log.out)
	}
	u.run("privacy", "log").want(t, 0, "dump.sql")
}
