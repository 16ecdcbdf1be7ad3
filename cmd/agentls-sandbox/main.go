// Command agentls-sandbox is the confined stage of agentls: the program that
// builds the view a command sees, gives up every privilege and starts it. It
// is built with CGO_ENABLED=0 and embedded in agentls; nobody starts it by
// hand.
package main

import "github.com/agentls/agentls/agent/sandbox/stage"

func main() { stage.Main() }
