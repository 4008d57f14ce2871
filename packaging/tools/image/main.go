// Image writes an OCI image of Signpost without a container engine: an archive that podman,
// skopeo, containerd and docker (with containerd's image store) load under the name
// localhost/signpost:VERSION. The same inputs give the same bytes.
//
//	go run ./image -version 1.2.3 -revision COMMIT -date 2026-11-21T10:00:00Z \
//	    -config docker.yaml -o signpost-1.2.3.oci.tar amd64=signpost-linux-amd64 arm64=signpost-linux-arm64
//
// The image holds the static binary, an example configuration, an empty directory for
// certificates, and the root certificates that Mozilla trusts, from the module
// golang.org/x/crypto/x509roots. Format: github.com/opencontainers/image-spec, v1.1.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// owner is the user and group as which the image runs: the ports are above 1024, so no right
// is needed.
const owner = 65532

// containerdName is the annotation by which containerd, and docker through it, names an image
// (core/images/annotations.go). podman takes v1.AnnotationRefName, which must be a whole name: it
// reads a version alone as the name of an image (containers/common, libimage/pull.go).
const containerdName = "io.containerd.image.name"

func main() {
	var o options
	flag.StringVar(&o.version, "version", "", "the `VERSION` of the program")
	flag.StringVar(&o.revision, "revision", "", "the `COMMIT` from which it was built")
	date := flag.String("date", "", "the `TIME` of the image and of its files, as in RFC 3339")
	flag.StringVar(&o.config, "config", "", "the `FILE` that becomes /etc/signpost/signpost.yaml")
	flag.StringVar(&o.out, "o", "", "the `FILE` to write")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: image FLAGS ARCHITECTURE=BINARY…\n\n"+
			"Writes an OCI image, as an archive, with the binary of each architecture.")
		flag.PrintDefaults()
	}
	flag.Parse()
	var err error
	if o.date, err = time.Parse(time.RFC3339, *date); err != nil || o.version == "" || o.config == "" || o.out == "" ||
		flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := o.write(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

type options struct {
	version, revision string
	date              time.Time
	config, out       string
}

// write writes the archive: an image layout whose index names an image for each architecture.
func (o options) write(binaries []string) error {
	a := archive{date: o.date}
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex,
		Annotations: o.labels()}
	for _, binary := range binaries {
		arch, path, ok := strings.Cut(binary, "=")
		if !ok {
			return fmt.Errorf("%q is not ARCHITECTURE=BINARY", binary)
		}
		manifest, err := o.image(&a, arch, path)
		if err != nil {
			return err
		}
		index.Manifests = append(index.Manifests, manifest)
	}
	whole := a.blob(v1.MediaTypeImageIndex, encode(index))
	name := "localhost/signpost:" + o.version
	whole.Annotations = map[string]string{v1.AnnotationRefName: name, containerdName: name}
	a.file("index.json", encode(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{whole}}))
	a.file(v1.ImageLayoutFile, encode(v1.ImageLayout{Version: v1.ImageLayoutVersion}))
	var out bytes.Buffer
	if err := a.writeTo(&out); err != nil {
		return err
	}
	return os.WriteFile(o.out, out.Bytes(), 0o644)
}

// image adds the image of an architecture and returns its descriptor.
func (o options) image(a *archive, arch, binary string) (v1.Descriptor, error) {
	plain, err := o.layer(binary)
	if err != nil {
		return v1.Descriptor{}, err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return v1.Descriptor{}, err
	}
	if _, err := z.Write(plain); err != nil {
		return v1.Descriptor{}, err
	}
	if err := z.Close(); err != nil {
		return v1.Descriptor{}, err
	}
	platform := v1.Platform{Architecture: arch, OS: "linux"}
	config := v1.Image{
		Created: &o.date, Platform: platform,
		RootFS:  v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain)}},
		History: []v1.History{{Created: &o.date, CreatedBy: "signpost/packaging/tools/image"}},
		Config: v1.ImageConfig{
			User:         fmt.Sprintf("%d:%d", owner, owner),
			ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8443/tcp": {}},
			Volumes:      map[string]struct{}{"/var/lib/signpost": {}},
			Entrypoint:   []string{"/usr/bin/signpost"},
			Cmd:          []string{"serve", "-config", "/etc/signpost/signpost.yaml"},
			WorkingDir:   "/",
			StopSignal:   "SIGTERM",
			Labels:       o.labels(),
		},
	}
	manifest := v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest,
		Config: a.blob(v1.MediaTypeImageConfig, encode(config)),
		Layers: []v1.Descriptor{a.blob(v1.MediaTypeImageLayerGzip, packed.Bytes())},
	}
	d := a.blob(v1.MediaTypeImageManifest, encode(manifest))
	d.Platform = &platform
	return d, nil
}

func (o options) labels() map[string]string {
	return map[string]string{
		v1.AnnotationTitle:       "signpost",
		v1.AnnotationDescription: "tells mail clients where a person's mailbox is",
		v1.AnnotationVersion:     o.version,
		v1.AnnotationRevision:    o.revision,
	}
}

// layer returns the files of the image.
func (o options) layer(binary string) ([]byte, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	configuration, err := os.ReadFile(o.config)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name string
		mode int64
		own  bool // it belongs to the user of the service
		data []byte
	}{
		{"etc/", 0o755, false, nil},
		{"etc/signpost/", 0o755, false, nil},
		{"etc/signpost/signpost.yaml", 0o644, false, configuration},
		{"etc/ssl/", 0o755, false, nil},
		{"etc/ssl/certs/", 0o755, false, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, false, roots()},
		{"usr/", 0o755, false, nil},
		{"usr/bin/", 0o755, false, nil},
		{"usr/bin/signpost", 0o755, false, program},
		{"var/", 0o755, false, nil},
		{"var/lib/", 0o755, false, nil},
		{"var/lib/signpost/", 0o750, true, nil},
	} {
		h := &tar.Header{Name: f.name, Mode: f.mode, ModTime: o.date, Size: int64(len(f.data)), Format: tar.FormatPAX}
		h.Typeflag = tar.TypeReg
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if f.own {
			h.Uid, h.Gid = owner, owner
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
}

// roots returns the root certificates that Mozilla trusts without further conditions.
func roots() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return b.Bytes()
}

// archive is an image layout that is being made.
type archive struct {
	date  time.Time
	names []string
	files map[string][]byte
}

// blob adds content under its digest, once.
func (a *archive) blob(mediaType string, content []byte) v1.Descriptor {
	d := digest.FromBytes(content)
	a.file("blobs/sha256/"+d.Encoded(), content)
	return v1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(content))}
}

func (a *archive) file(name string, content []byte) {
	if a.files == nil {
		a.files = map[string][]byte{}
	}
	if _, ok := a.files[name]; !ok {
		a.names = append(a.names, name)
		a.files[name] = content
	}
}

func (a *archive) writeTo(out io.Writer) error {
	w := tar.NewWriter(out)
	for _, name := range a.names {
		content := a.files[name]
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, ModTime: a.date, Size: int64(len(content)),
			Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	return w.Close()
}

// encode returns a value as JSON. The types of the specification always have one.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
