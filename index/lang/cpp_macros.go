//go:build !lite

package lang

import (
	"bytes"
	"strings"
)

// Macros before the name of a class, which say that a library exports it, make
// another declaration of it for the grammar: class API Shape : Base { … }.

// withoutClassMacros returns src with blanks in place of such macros.
func withoutClassMacros(src []byte) []byte {
	tidy := src
	for _, word := range []string{"class", "struct"} {
		for at := 0; ; {
			i := bytes.Index(src[at:], []byte(word))
			if i < 0 {
				break
			}
			start := at + i
			at = start + len(word)
			from, to := classMacro(src, start, word)
			if from == to {
				continue
			}
			if &tidy[0] == &src[0] {
				tidy = bytes.Clone(src)
			}
			copy(tidy[from:to], bytes.Repeat([]byte{' '}, to-from))
		}
	}
	return tidy
}

// classMacro returns where the macro is that stands behind word at offset at of
// src, and before the name of a class that is defined, or with the word class
// only declared. Macros are in capitals.
func classMacro(src []byte, at int, word string) (from, to int) {
	if at > 0 && isWordByte(src[at-1]) {
		return 0, 0
	}
	from = skipBlanks(src, at+len(word))
	to = skipWord(src, from)
	name := skipBlanks(src, to)
	end := skipBlanks(src, skipWord(src, name))
	if rest, isFinal := bytes.CutPrefix(src[end:], []byte("final")); isFinal {
		end = skipBlanks(src, len(src)-len(rest))
	}
	defines := end < len(src) && (src[end] == '{' || src[end] == ':' && !bytes.HasPrefix(src[end:], []byte("::")) || src[end] == ';' && word == "class")
	if from == at+len(word) || to-from < 2 || name == to || end == name || !defines || !isUpperWord(src[from:to]) {
		return 0, 0
	}
	return from, to
}

func isWordByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isUpperWord(word []byte) bool { return bytes.Equal(word, bytes.ToUpper(word)) }

func skipWord(src []byte, i int) int {
	for i < len(src) && isWordByte(src[i]) {
		i++
	}
	return i
}

func skipBlanks(src []byte, i int) int {
	for i < len(src) && bytes.IndexByte([]byte(" \t\r\n"), src[i]) >= 0 {
		i++
	}
	return i
}

// cppImports is cImports, and takes in the macro before the name of a class.
func cppImports(f *Facts, n Node) bool {
	if n.Kind() != "class_specifier" && n.Kind() != "struct_specifier" {
		return cImports(f, n)
	}
	start, _ := n.Span()
	if from, to := classMacro(n.tree.Src, start, strings.TrimSuffix(n.Kind(), "_specifier")); from < to {
		f.Mentions = append(f.Mentions, Mention{Node: n, Start: from - start, End: to - start})
	}
	return false
}
