package packaging

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"signpost/internal/freeport"
)

// descriptor is what the test reads of the descriptors and documents of an image
// (image-spec v1.1, descriptor.md, manifest.md, config.md).
type descriptor struct {
	Digest      string
	Size        int64
	Platform    struct{ Architecture, OS string }
	Annotations map[string]string
	Manifests   []descriptor
	Config      json.RawMessage
	Layers      []descriptor
}

// imageName is the name of the image up to its version, in the documents and for every program
// that loads it.
const imageName = "localhost/signpost:"

// TestImage reads the released image with skopeo and by itself, and starts it as a container
// would be: read-only, without a capability, as its own user.
func TestImage(t *testing.T) {
	tool(t, "skopeo")
	tool(t, "bwrap")
	archive := filepath.Join(released(t), "other", "place", "dist", "signpost-1.0.0.oci.tar")
	for arch, image := range map[string]string{"amd64": archive, "arm64": archive + ":" + imageName + "1.0.0"} {
		out, err := run("", "skopeo", "--override-os", "linux", "--override-arch", arch, "inspect",
			"oci-archive:"+image)
		if err != nil || !strings.Contains(out, `"Architecture": "`+arch+`"`) ||
			!strings.Contains(out, `"org.opencontainers.image.version": "1.0.0"`) {
			t.Errorf("skopeo inspect, %s: %v\n%s", arch, err, out)
		}
	}
	files := untar(t, archive)
	var top, index descriptor
	decode(t, files["index.json"], &top)
	checkName(t, top)
	decode(t, blob(t, files, top.Manifests[0]), &index)
	found := false
	for _, d := range index.Manifests {
		var manifest, config descriptor
		decode(t, blob(t, files, d), &manifest)
		var at descriptor
		decode(t, manifest.Config, &at)
		decode(t, blob(t, files, at), &config)
		var settings struct{ User string }
		decode(t, config.Config, &settings)
		if uid, _, _ := strings.Cut(settings.User, ":"); uid == "" || uid == "0" || uid == "root" {
			t.Errorf("%s: the image runs as user %q", d.Platform.Architecture, settings.User)
		}
		layer := blob(t, files, manifest.Layers[0])
		if len(layer) > 30<<20 || len(manifest.Layers) != 1 {
			t.Errorf("%s: %d layers, the first of %d bytes; want one below 30 MB",
				d.Platform.Architecture, len(manifest.Layers), len(layer))
		}
		if d.Platform.Architecture == runtime.GOARCH {
			found = true
			startImage(t, layer, settings.User)
		}
	}
	if !found || len(index.Manifests) != 2 {
		t.Errorf("the image has %d architectures, want 2 with %s", len(index.Manifests), runtime.GOARCH)
	}
}

// checkName tests that programs name the image as the documents do. podman takes the first
// annotation, containerd and docker the second.
func checkName(t *testing.T, top descriptor) {
	t.Helper()
	for _, annotation := range []string{"org.opencontainers.image.ref.name", "io.containerd.image.name"} {
		if got, want := top.Manifests[0].Annotations[annotation], imageName+"1.0.0"; got != want {
			t.Errorf("the archive's annotation %s is %q, want %q", annotation, got, want)
		}
	}
	for _, file := range []string{"compose.yaml", "../docs/containers.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), imageName+"1.2.3") {
			t.Errorf("%s does not name the image %s1.2.3, as it is loaded", file, imageName)
		}
	}
}

// startImage extracts a layer and starts its program in it.
func startImage(t *testing.T, layer []byte, user string) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "only root can extract the files of other users")
	}
	root := extract(t, layer)
	// As an operator does, the configuration is mounted over the example.
	configuration, err := os.ReadFile(filepath.Join(root, "etc/signpost/signpost.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	mounted := shortDir(t)
	if err := os.Chmod(mounted, 0o755); err != nil {
		t.Fatal(err)
	}
	text := string(configuration) + "admin: {listen: none}\n"
	if err := os.WriteFile(filepath.Join(mounted, "signpost.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// Runtimes make this before they make the root read-only.
	if err := os.Mkdir(filepath.Join(root, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	uid, gid, _ := strings.Cut(user, ":")
	address := "127.0.0.1:" + freeport.Choose(t)
	var log bytes.Buffer
	cmd := exec.Command("bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--uid", uid, "--gid", gid, "--cap-drop", "ALL",
		"--ro-bind", root, "/", "--proc", "/proc", "--ro-bind", mounted, "/etc/signpost", "--die-with-parent", "--clearenv",
		"/usr/bin/signpost", "serve", "-config", "/etc/signpost/signpost.yaml", "-listen", address)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + address + "/mail/config-v1.1.xml?emailaddress=anna%40mail.example")
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("imap.mail.example")) {
				t.Errorf("the image answers %d:\n%s", resp.StatusCode, body)
			}
			return
		}
		if time.Since(began) > 10*time.Second {
			cmd.Process.Kill()
			cmd.Wait()
			t.Fatalf("the image does not answer: %v\n%s", err, &log)
		}
	}
}

// extract extracts a layer into a directory, with the owners of its files.
func extract(t *testing.T, layer []byte) string {
	t.Helper()
	root := shortDir(t)
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return root
		} else if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = os.Mkdir(path, os.FileMode(h.Mode))
		case tar.TypeReg:
			var content []byte
			if content, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, content, os.FileMode(h.Mode))
			}
		default:
			err = fmt.Errorf("%s is neither a file nor a directory", h.Name)
		}
		if err == nil {
			err = os.Chown(path, h.Uid, h.Gid)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// untar returns the files of an archive by name.
func untar(t *testing.T, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// blob returns the content that a descriptor names, which must have its size and digest.
func blob(t *testing.T, files map[string][]byte, d descriptor) []byte {
	t.Helper()
	content := files["blobs/"+strings.Replace(d.Digest, ":", "/", 1)]
	sum := sha256.Sum256(content)
	if got := "sha256:" + hex.EncodeToString(sum[:]); got != d.Digest || int64(len(content)) != d.Size {
		t.Fatalf("the blob %s of %d bytes has the digest %s and %d bytes", d.Digest, d.Size, got, len(content))
	}
	return content
}

func decode(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
}
