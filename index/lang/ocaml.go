//go:build !lite

package lang

import (
	tsocaml "github.com/tree-sitter/tree-sitter-ocaml/bindings/go"
)

func ocaml() *Language {
	return &Language{
		Name: "ocaml", Family: "ocaml", Extensions: []string{".ml"}, Parser: tsocaml.LanguageOCaml, Grammar: ocamlGrammar,
		Comments: Comments{Open: "(*", Close: "*)"}, Body: "=", Quotes: "\"",
		Imports: ocamlImports, ImportKinds: "open_module",
		Refine:     refineOCaml,
		Exported:   func(*Declaration) bool { return true },
		Skim:       ocamlLines.skim,
		IsTest:     func(string, string, Kind) bool { return false },
		IsTestFile: func(string) bool { return false },
	}
}

func ocamlInterface() *Language {
	l := ocaml()
	l.Name, l.Extensions, l.Parser = "ocaml.interface", []string{".mli"}, tsocaml.LanguageOCamlInterface
	return l
}

var ocamlGrammar = &Grammar{
	Names: `value_name value_pattern type_constructor field_name constructor_name module_name module_type_name class_name method_name
		instance_variable_name label_name`,
	Skips:  "comment string character number type_variable boolean unit",
	Thin:   "module_binding",
	Scopes: "let_binding let_expression match_case for_expression fun_expression function_expression class_binding method_definition",
	Roles: map[string]Role{
		"let_binding.pattern":                                 Defines(Variable),
		"parameter.pattern":                                   Binds,
		"match_case.pattern":                                  Binds,
		"field_pattern field_path":                            Keys | Puns,
		"type_binding.name":                                   Defines(Type),
		"field_declaration field_name":                        Defines(Field),
		"constructor_declaration constructor_name":            Defines(Member),
		"module_binding module_name":                          Defines(Module) | Leads,
		"module_parameter module_name":                        Binds,
		"module_parameter.module_type":                        Nameless | Owns,
		"module_type_definition module_type_name":             Defines(Interface) | Leads,
		"class_binding class_name":                            Defines(Class) | Leads,
		"object_expression.self":                              Binds | Early,
		"method_definition method_name":                       Defines(Method) | Leads,
		"instance_variable_definition instance_variable_name": Defines(Field) | Leads,
		"external value_name":                                 Defines(Function) | Leads,
		"value_specification value_name":                      Defines(Function) | Leads,
		"value_path module_path":                              Operand,
		"value_path value_name":                               Accesses | Inherits,
		"type_constructor_path module_path":                   Operand,
		"type_constructor_path type_constructor":              Accesses | Inherits,
		"constructor_path module_path":                        Operand,
		"constructor_path constructor_name":                   Accesses,
		"module_path module_path":                             Operand,
		"module_path module_name":                             Accesses | Inherits,
		"field_get_expression.record":                         Operand,
		"field_get_expression.field":                          Accesses | Inherits,
		"for_expression.name":                                 Binds,
		"method_invocation.object":                            Operand,
		"method_invocation.method":                            Accesses | Calls,
		"application_expression.function":                     Calls,
		"field_expression field_path":                         Keys | Puns,
		"field_path module_path":                              Plain,
		"labeled_argument label_name":                         Keys | Puns,
		"labeled_argument_type label_name":                    Keys,
		"parameter label_name":                                Keys,
		"inheritance_definition.class":                        Bases,
		"class_application.class":                             Inherits,
		"class_path module_path":                              Operand,
		"class_path class_name":                               Accesses | Inherits,
	},
	Passes: map[string]Role{
		"parenthesized_pattern": Defined,
		"tuple_pattern":         Defined,
		"typed_pattern":         Defined,
		"constructor_pattern":   Defined,
		"cons_pattern":          Defined,
		"list_pattern":          Defined,
		"alias_pattern":         Defined,
		"or_pattern":            Defined,
		"record_pattern":        Defined,
		"field_pattern":         Defined,
		"field_path":            Accesses | Keys | Puns | Defined,
	},
}

// refineOCaml tells functions by their parameters.
func refineOCaml(d *Declaration) Kind {
	body := d.Node.Child("body").Kind()
	if d.Kind == Variable && (!d.Node.ChildOf("parameter").None() || body == "fun_expression" || body == "function_expression") {
		return Function
	}
	return d.Kind
}

// ocamlImports takes in open.
func ocamlImports(f *Facts, n Node) bool {
	f.Imports = append(f.Imports, Import{Path: n.Child("module").Text(), Name: "*", Alias: "."})
	return false
}

var ocamlLines = (&Lines{
	Before: "rec and nonrec",
	Words: map[string]Kind{
		"let": Function, "val": Function, "type": Type, "module": Module, "class": Class, "external": Function, "exception": Member,
	},
}).compiled()
