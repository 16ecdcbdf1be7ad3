package agent

import "sync"

// bytesPerToken is what is taken for a model that nothing is known of.
const bytesPerToken = 3.3

// Tokens estimates how many tokens a text has for one model. It learns from
// what the model's server counted. The zero value knows nothing yet. It may be
// used by several goroutines.
type Tokens struct {
	mu    sync.Mutex
	ratio float64       // bytes a token; 0: not known; guarded by mu
	told  func(float64) // is told of a new ratio; may be nil
}

// NewTokens returns an estimate that begins with ratio, in bytes a token; 0 is
// nothing known. Told is called with each ratio that is learned, to be kept;
// it may be nil.
func NewTokens(ratio float64, told func(ratio float64)) *Tokens {
	return &Tokens{ratio: plausible(ratio), told: told}
}

// Of returns about how many tokens so many bytes are.
func (t *Tokens) Of(bytes int) int {
	ratio := bytesPerToken
	if t != nil {
		t.mu.Lock()
		if t.ratio > 0 {
			ratio = t.ratio
		}
		t.mu.Unlock()
	}
	return int(float64(bytes)/ratio + 0.5)
}

// learn takes in that a request of so many bytes had so many tokens.
func (t *Tokens) learn(bytes, tokens int) {
	const least, weight = 2000, 0.2 // bytes of a request that says something; of the newest one
	if t == nil || bytes < least || tokens <= 0 {
		return
	}
	now := plausible(float64(bytes) / float64(tokens))
	if now == 0 {
		return
	}
	t.mu.Lock()
	if t.ratio > 0 {
		now = (1-weight)*t.ratio + weight*now
	}
	t.ratio = now
	t.mu.Unlock()
	if t.told != nil {
		t.told(now)
	}
}

// plausible returns ratio, or 0 where no text can have it.
func plausible(ratio float64) float64 {
	if ratio >= 1 && ratio <= 12 {
		return ratio
	}
	return 0
}

// size returns how many bytes of req count as input.
func (req *Request) size() int {
	n := len(req.Instructions)
	for i := range req.Tools {
		n += len(req.Tools[i].Name) + len(req.Tools[i].Description) + len(req.Tools[i].Parameters) + len(req.Tools[i].Grammar)
	}
	for _, item := range req.Items {
		switch it := item.(type) {
		case UserMessage:
			n += len(it.Text)
		case ToolOutput:
			n += len(it.Text)
		case ModelItem:
			n += len(it.Raw)
		}
	}
	return n
}
