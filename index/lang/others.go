//go:build !lite

package lang

// others are the languages that a lite build leaves out.
func others() []*Language {
	return []*Language{
		rust(), java(), c(), cpp(), cSharp(), ruby(), php(), kotlin(), scala(),
		lua(), bash(), zig(), ocaml(), ocamlInterface(), haskell(),
		json(), yaml(), toml(), markdown(), html(), css(),
	}
}
