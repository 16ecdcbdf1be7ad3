package index

import (
	"strings"
	"unicode/utf8"
)

// Words that are looked for are split where identifiers are (parseRange,
// parse_range, HTTPServer), without case, and cut to a stem, so that "parsing"
// finds Parser.

const (
	minWord = 2  // bytes
	maxWord = 30 // bytes; what is longer is a hash or data
)

// eachWord calls yield with each word of src in lower case; the bytes are
// overwritten by the next. Letters beyond ASCII are as lower case letters.
func eachWord(src []byte, yield func(word []byte)) {
	var buf [maxWord + 1]byte
	n := 0
	flush := func() {
		if n >= minWord && n <= maxWord && !isNumber(buf[:n]) {
			yield(buf[:n])
		}
		n = 0
	}
	for i, c := range src {
		class := classes[c]
		if class == noWord {
			if n > 0 {
				flush()
			}
			continue
		}
		if class == upperCase && n > 0 && (classes[src[i-1]] != upperCase || beginsWord(src[i+1:])) {
			flush()
		}
		if n <= maxWord {
			buf[n] = lower(c)
			n++
		}
	}
	flush()
}

// beginsWord reports whether an upper case letter that stands behind another and
// before rest begins a word: HTTPServer, but not URLs.
func beginsWord(rest []byte) bool {
	if len(rest) == 0 || classes[rest[0]] != lowerCase {
		return false
	}
	return rest[0] != 's' || len(rest) > 1 && classes[rest[1]] == lowerCase
}

// What a byte is in an identifier.
const (
	noWord = iota
	lowerCase
	upperCase
	digit
)

var classes = func() (classes [256]uint8) {
	for c := range classes {
		switch {
		case 'a' <= c && c <= 'z', c >= utf8.RuneSelf:
			classes[c] = lowerCase
		case 'A' <= c && c <= 'Z':
			classes[c] = upperCase
		case '0' <= c && c <= '9':
			classes[c] = digit
		}
	}
	return classes
}()

// isNumber reports whether word begins like a number, or a hash; "404" counts
// as a word.
func isNumber(word []byte) bool {
	if classes[word[0]] != digit {
		return false
	}
	return len(word) != 3
}

// Terms returns the words of s as the ranking compares them, in order, with
// repetitions; words like "the" are left out.
func Terms(s string) []string {
	var terms []string
	eachTerm(s, func(_, term string) { terms = append(terms, term) })
	return terms
}

// eachTerm calls yield with each word of s, and as what it is compared.
func eachTerm(s string, yield func(word, term string)) {
	eachWord([]byte(s), func(word []byte) {
		if own := string(word); !stopWords[own] {
			yield(own, stem(own))
		}
	})
}

// stopWords are the words that English sentences are held together by.
var stopWords = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(`a about after all also always an and another any are as at be because been before
		being below between both but by can cannot could did do does doing don done down during each either else even ever
		every few for from had has have having he her here him his how however if in instead into is isn it its itself just
		let like ll made make makes many may me might more most much must my need needs neither no nor not now of off on
		once one only or other others our out over own re really s same shall she should since so some still such t than
		that the their them then there these they this those though through thus to too under until up upon us ve very was
		way we well were what when where whether which while who whom whose why will with within without would yet you your`) {
		words[word] = true
	}
	return words
}()

// stem cuts common English endings off a word in lower case. It errs to the
// side of one stem for two words.
func stem(word string) string {
	word = singular(word)
	switch {
	case cuts(word, "ing", 3):
		word = undouble(word[:len(word)-3])
	case cuts(word, "ed", 3):
		word = undouble(word[:len(word)-2])
	case cuts(word, "er", 3), cuts(word, "or", 4):
		word = undouble(word[:len(word)-2])
	case cuts(word, "ion", 4):
		word = word[:len(word)-3]
	}
	if len(word) > 4 && strings.HasSuffix(word, "e") {
		word = word[:len(word)-1]
	}
	return word
}

// cuts reports whether word ends with ending behind at least least bytes, one
// of them a vowel.
func cuts(word, ending string, least int) bool {
	rest, ok := strings.CutSuffix(word, ending)
	return ok && len(rest) >= least && strings.ContainsAny(rest, "aeiouy")
}

func singular(word string) string {
	switch {
	case len(word) < 4 || !strings.HasSuffix(word, "s") || strings.HasSuffix(word, "ss") || strings.HasSuffix(word, "us") || strings.HasSuffix(word, "is"):
		return word
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		return word[:len(word)-3] + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "xes"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"):
		return word[:len(word)-2]
	default:
		return word[:len(word)-1]
	}
}

// undouble makes "stopp" of stopping "stop"; "call" and "pass" stay.
func undouble(word string) string {
	n := len(word)
	if n > 3 && word[n-1] == word[n-2] && !strings.ContainsRune("lsz", rune(word[n-1])) {
		return word[:n-1]
	}
	return word
}
