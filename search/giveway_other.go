//go:build !linux

package search

// lowerPriority does nothing: elsewhere a priority is that of the whole process.
func lowerPriority() {}
