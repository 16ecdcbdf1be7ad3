package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// tokens are those that a client may show, as hashes: so that comparing them
// takes the same time whatever is shown.
type tokens [][sha256.Size]byte

func newTokens(given []string) tokens {
	var t tokens
	for _, token := range given {
		t = append(t, sha256.Sum256([]byte(token)))
	}
	return t
}

func (t tokens) none() bool { return len(t) == 0 }

// has reports whether token is one of t.
func (t tokens) has(token string) bool {
	shown := sha256.Sum256([]byte(token))
	found := 0
	for i := range t {
		found |= subtle.ConstantTimeCompare(shown[:], t[i][:])
	}
	return found == 1
}

// admits reports whether r shows a token: as a bearer, or, from a browser, as
// the password.
func (t tokens) admits(r *http.Request) bool {
	if t.none() {
		return true
	}
	if _, password, ok := r.BasicAuth(); ok {
		return t.has(password)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && t.has(token)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case r.URL.Path == "/healthz":
	case s.tokens.none() && !isLoopback(r.Host):
		// A page elsewhere whose name was made to lead here.
		writeProblem(w, http.StatusMisdirectedRequest, "this service answers to a loopback address only, not to "+r.Host)
		return
	case !s.tokens.admits(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="agentls: any name, a token as the password"`)
		writeProblem(w, http.StatusUnauthorized, "a token of this service is needed, as a bearer token; the one shown is not among those of its token file")
		return
	case !isOwn(r):
		writeProblem(w, http.StatusForbidden, "this request comes from another site")
		return
	}
	s.routes.ServeHTTP(w, r)
}

// isLoopback reports whether a Host header names this machine, for itself.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isOwn reports whether r can only come from our own page, or from no browser.
func isOwn(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}
