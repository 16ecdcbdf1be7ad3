package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/agentls/agentls/index/git"
)

// What an evaluation reads out of a repository, with errors that say what the
// repository lacks.

// historyRoot returns the folder to ask git in about the history around dir: the
// top of its working tree, or the repository itself where there is none.
func historyRoot(ctx context.Context, dir string) (string, error) {
	if dir == "" {
		return "", errors.New("--repo is empty: name the folder of a repository, or leave it out for this one")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	stat, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s does not exist: name the folder of a repository", abs)
	case err != nil:
		return "", err
	case !stat.IsDir():
		return "", fmt.Errorf("%s is not a folder: name the folder of a repository", abs)
	}
	root, ok, err := git.Root(ctx, abs)
	if err != nil || ok {
		return root, err
	}
	store, err := git.Store(ctx, abs)
	var refused *git.Failure
	if errors.As(err, &refused) {
		return "", fmt.Errorf("%s: %s", abs, strings.TrimPrefix(strings.TrimSpace(refused.Stderr), "fatal: "))
	}
	return store, err
}

// revisionsOf returns the newest commits of the repository at root, at least one.
func revisionsOf(ctx context.Context, root string, limit int) ([]git.Revision, error) {
	revisions, err := git.Log(ctx, root, limit)
	if errors.Is(err, git.ErrTooMuch) {
		return nil, fmt.Errorf("the history of %s is too long to be read at once: ask about fewer --commits: %w", root, err)
	}
	if err != nil || len(revisions) > 0 {
		return revisions, err
	}
	if _, ok, err := git.Head(ctx, root); err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("%s has no commit yet", root), err)
	}
	return nil, fmt.Errorf("git cannot read the history of %s; git log --raw there says why", root)
}

// blobsOf returns the contents of blobs by their hashes; those of more than
// evalBlob bytes are left out.
func blobsOf(ctx context.Context, root string, hashes []string) (map[string][]byte, error) {
	blobs, err := git.Blobs(ctx, root, hashes, evalBlob)
	var refused *git.Failure
	if errors.As(err, &refused) && strings.Contains(refused.Stderr, "promisor remote") { // nothing is fetched unasked
		return nil, fmt.Errorf("%s is a partial clone without the contents of old files; get them by: git fetch --refetch --no-filter", root)
	}
	return blobs, err
}
