//go:build !linux

package edits_test

func torturedProcess() {}
