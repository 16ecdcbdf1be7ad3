package secrets

// A keywordTree finds many words in one pass over a text, whatever the case of
// its letters (Aho and Corasick, 1975).
type keywordTree struct {
	next [][256]int32 // by state and byte
	ends [][]int32    // the words that end in a state
}

// newKeywordTree returns the tree of words, which are in lower case.
func newKeywordTree(words []string) *keywordTree {
	t := &keywordTree{next: make([][256]int32, 1), ends: make([][]int32, 1)}
	for i, word := range words {
		state := int32(0)
		for _, c := range []byte(word) {
			if t.next[state][c] == 0 {
				t.next = append(t.next, [256]int32{})
				t.ends = append(t.ends, nil)
				t.next[state][c] = int32(len(t.next) - 1) //nolint:gosec // some thousand
			}
			state = t.next[state][c]
		}
		t.ends[state] = append(t.ends[state], int32(i)) //nolint:gosec // some hundred
	}
	t.link()
	return t
}

// link fills in where a state goes on from where its word does not.
func (t *keywordTree) link() {
	fail := make([]int32, len(t.next))
	var queue []int32
	for c := range 256 {
		if s := t.next[0][c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		state := queue[0]
		for c := range 256 {
			s := t.next[state][c]
			if s == 0 {
				t.next[state][c] = t.next[fail[state]][c]
				continue
			}
			fail[s] = t.next[fail[state]][c]
			t.ends[s] = append(t.ends[s], t.ends[fail[s]]...)
			queue = append(queue, s)
		}
	}
}

// each calls yield with every word in text and the offset behind it.
func (t *keywordTree) each(text string, yield func(word, end int)) {
	state := int32(0)
	for i := range len(text) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		state = t.next[state][c]
		for _, word := range t.ends[state] {
			yield(int(word), i+1)
		}
	}
}
