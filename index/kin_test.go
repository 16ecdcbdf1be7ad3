package index

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStemOf(t *testing.T) {
	for file, want := range map[string]struct {
		stem   string
		isTest bool
	}{
		"/w/cart/cart.go":                   {"cart", false},
		"/w/cart/cart_test.go":              {"cart", true},
		"/w/src/CartTest.java":              {"cart", true},
		"/w/test/cart_spec.lua":             {"cart", true},
		"/w/tests/cart.py":                  {"cart", true},
		"/w/cart/__init__.py":               {"cart", false},
		"/w/tests/cart/tests.py":            {"cart", true},
		"/w/tests/cart_tests/test.py":       {"cart", true},
		"/w/src/cart/index.ts":              {"cart", false},
		"/w/src/cart/index.test.ts":         {"cart", true},
		"/w/src/cart/__tests__/index.ts":    {"cart", true},
		"/w/lua/cart/init.lua":              {"cart", false},
		"/w/tests/cart/tests/test_total.py": {"total", true},
		"/tests/index.ts":                   {"index", true},
	} {
		stem, isTest := stemOf(file)
		if stem != want.stem || isTest != want.isTest {
			t.Errorf("%s is %s, a test: %v; want %+v", file, stem, isTest, want)
		}
	}
}

func TestPathTerms(t *testing.T) {
	const whole, half = 1 + nameShares, 1 + nameShares/2
	for rel, want := range map[string]map[string]uint8{
		"src/cart_total.ts":    {"src": 1, "cart": half, "total": half},
		"src/cart/index.ts":    {"src": 1, "index": 1, "cart": whole},
		"lib/cart/__init__.py": {"lib": 1, "init": 1, "cart": whole},
		"index.ts":             {"index": whole},
	} {
		if diff := cmp.Diff(want, pathTerms(rel)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rel, diff)
		}
	}
}
