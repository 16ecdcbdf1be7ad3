package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/agentls/agentls/index"
)

// A Viewer is a Model that can look at images, or cannot.
type Viewer interface{ SeesImages() bool }

// seesImages reports whether images can be shown to m.
func seesImages(m Model) bool {
	v, ok := m.(Viewer)
	return ok && v.SeesImages()
}

// viewImage shows an image. It is offered to models that can see it.
type viewImage struct{ run *run }

type imageArgs struct {
	Path string `json:"path"`
}

const (
	maxImage  = 4 << 20  // bytes
	maxImages = 24 << 20 // bytes of all in a conversation: each request carries them, and servers refuse what is larger than 50 MB
)

func (viewImage) Spec() ToolSpec { return spec("view_image") }

func (viewImage) Title(args json.RawMessage) string {
	a, _ := decode[imageArgs](args)
	return about("look at", a.Path)
}

func (t viewImage) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[imageArgs](raw)
	if err != nil {
		return "", err
	}
	path, err := d.Resolve(args.Path)
	if err != nil {
		return "", Fail("%v", err)
	}
	content, err := d.ReadFile(ctx, path)
	kind, shown := imageType(content), imagesOf(t.run.req.Items)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, index.ErrTooLarge):
		return "", Fail("%s has more bytes than the %d of an image that can be shown", args.Path, maxImage)
	case err != nil:
		return "", Fail("there is no file %s that can be read%s", args.Path, d.nearby(path))
	case kind == "":
		return "", Fail("%s is no PNG, JPEG, GIF or WebP image; read_file reads text", args.Path)
	case len(content) > maxImage:
		return "", Fail("%s has %d bytes, more than the %d of an image that can be shown", args.Path, len(content), maxImage)
	case shown+len(content) > maxImages:
		return "", Fail("this conversation has images of %d bytes, and with the %d of %s they were more than the %d it can have: go by those you saw", shown, len(content), args.Path, maxImages)
	}
	d.Show(path)
	d.images = append(d.images, Image{Type: kind, Data: content})
	return fmt.Sprintf("%s, %s, %d bytes\n", d.snap.Rel(path), kind, len(content)), nil
}

// imagesOf returns how many bytes of images items show.
func imagesOf(items []Item) (n int) {
	for _, item := range items {
		var images []Image
		switch it := item.(type) {
		case UserMessage:
			images = it.Images
		case ToolOutput:
			images = it.Images
		case ModelItem:
		}
		for i := range images {
			n += len(images[i].Data)
		}
	}
	return n
}

// An Attachment is an image that the user shows with a task.
type Attachment struct {
	Path string `json:"path"` // absolute, for the privacy gate
	Image
}

// maxAttached is how many images go with one task.
const maxAttached = 5

// ErrNoImages is the end of a task with images for a model that is not known to
// see any.
var ErrNoImages = errors.New("this model is not known to see images: leave them out, or choose a model that does")

// NewAttachment makes an attachment of the file at path, whose content is given.
func NewAttachment(path string, content []byte) (Attachment, error) {
	kind := imageType(content)
	switch {
	case kind == "":
		return Attachment{}, fmt.Errorf("%s is no PNG, JPEG, GIF or WebP image", path)
	case len(content) > maxImage:
		return Attachment{}, fmt.Errorf("%s has %d bytes, more than the %d of an image that can be shown", path, len(content), maxImage)
	}
	return Attachment{Path: path, Image: Image{Type: kind, Data: content}}, nil
}

// attach puts the task's images into the message with its words.
func (r *run) attach(items []Item) error {
	attached := r.task.Attached
	switch {
	case len(attached) == 0:
		return nil
	case len(attached) > maxAttached:
		return fmt.Errorf("%d images are attached; %d go with one task", len(attached), maxAttached)
	case !seesImages(r.agent.model):
		return ErrNoImages
	}
	words, ok := items[len(items)-1].(UserMessage)
	if !ok {
		return nil
	}
	for _, a := range attached {
		words.Text += "\nAttached: " + filepath.Base(a.Path)
		words.Paths, words.Images = append(words.Paths, a.Path), append(words.Images, a.Image)
	}
	items[len(items)-1] = words
	return nil
}

// imageType returns the media type of content; "" for what is no image that
// models take. A name can say anything.
func imageType(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(content, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(content, []byte("GIF87a")), bytes.HasPrefix(content, []byte("GIF89a")):
		return "image/gif"
	case len(content) > 12 && bytes.HasPrefix(content, []byte("RIFF")) && string(content[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}
