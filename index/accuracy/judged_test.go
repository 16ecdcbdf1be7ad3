//go:build peers

package accuracy_test

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strconv"
	"strings"
)

// judgedFile holds who is right where agentls and ctags disagree, as somebody
// found who read the code: language, side that has the definition, file, line,
// name, verdict, reason, separated by tabs.
const judgedFile = "judged.tsv"

// sampled is how many disagreements of a language are judged.
const sampled = 100

// The verdicts on a disagreement.
const (
	oursIsRight   = "agentls"
	theirsIsRight = "ctags"
	eitherIsRight = "either" // a matter of taste
)

// A dispute is a definition that one side alone has.
type dispute struct {
	language, side string
	definition
}

type verdicts map[dispute]string

func readJudged(a *accuracy) verdicts {
	a.t.Helper()
	raw, err := os.ReadFile(judgedFile)
	if err != nil {
		a.t.Fatal(err)
	}
	out := verdicts{}
	for row := range strings.Lines(string(raw)) {
		f := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		line, err := strconv.Atoi(f[min(3, len(f)-1)])
		if len(f) != 7 || err != nil || !slices.Contains([]string{oursIsRight, theirsIsRight, eitherIsRight}, f[5]) {
			a.t.Fatalf("%s: not a verdict: %q", judgedFile, row)
		}
		out[dispute{f[0], f[1], definition{f[2], line, f[4]}}] = f[5]
	}
	return out
}

// lowest returns n disputes, by their hashes: most of a sample stays where some
// are settled and others come.
func lowest(all []dispute, n int) []dispute {
	rank := func(d dispute) uint64 {
		h := fnv.New64a()
		fmt.Fprint(h, seed, d)
		return h.Sum64()
	}
	slices.SortFunc(all, func(a, b dispute) int { return cmp.Compare(rank(a), rank(b)) })
	return all[:min(n, len(all))]
}

// report says who was right in a sample of the disputes, and what that makes of
// the precision and recall of a language with so many definitions on either
// side. Disputes that nobody has judged are written to ACCURACY_DISPUTES, to be.
func (v verdicts) report(out *strings.Builder, language string, ours, theirs []definition, allOurs, allTheirs int) {
	var all []dispute
	for _, d := range ours {
		all = append(all, dispute{language, oursIsRight, d})
	}
	for _, d := range theirs {
		all = append(all, dispute{language, theirsIsRight, d})
	}
	counts, wrong := map[string]int{}, map[string]int{} // by verdict; by side, against it
	drawnOf := map[string]int{}
	var open strings.Builder
	drawn := lowest(all, sampled)
	for _, d := range drawn {
		verdict := v[d]
		counts[verdict]++
		drawnOf[d.side]++
		if verdict != d.side && verdict != eitherIsRight {
			wrong[d.side]++
		}
		if verdict == "" {
			fmt.Fprintf(&open, "%s\t%s\t%s\t%d\t%s\n", d.language, d.side, d.file, d.line, d.name)
		}
	}
	fmt.Fprintf(out, "\n**%s**: of %d disagreements with ctags %d were judged by reading the code: agentls is right in %d, ctags in %d, either can be in %d.",
		language, len(all), len(drawn)-counts[""], counts[oursIsRight], counts[theirsIsRight], counts[eitherIsRight])
	if counts[""] == 0 {
		extra := float64(len(ours)) * (1 - share(drawnOf[oursIsRight]-wrong[oursIsRight], drawnOf[oursIsRight]))
		lost := float64(len(theirs)) * share(drawnOf[theirsIsRight]-wrong[theirsIsRight], drawnOf[theirsIsRight])
		if drawnOf[theirsIsRight] == 0 {
			lost = 0
		}
		fmt.Fprintf(out, " By that, precision is %.4f and recall %.4f.", 1-extra/float64(max(allOurs, 1)), 1-lost/float64(max(allTheirs, 1)))
	}
	out.WriteString("\n")
	if path := os.Getenv("ACCURACY_DISPUTES"); path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(open.String())
		}
		if err != nil {
			fmt.Fprintf(out, "\n%v\n", err)
		}
		_ = f.Close()
	}
}
