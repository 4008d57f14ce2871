// Package manifests reads the manifests for Kubernetes and Compose with the types of the
// projects that define them, strictly: a key that they do not have is an error.
package manifests

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// kinds has a new value for each kind of object.
var kinds = map[string]func() metav1.Object{
	"v1 ConfigMap":                       func() metav1.Object { return &corev1.ConfigMap{} },
	"v1 Secret":                          func() metav1.Object { return &corev1.Secret{} },
	"v1 Service":                         func() metav1.Object { return &corev1.Service{} },
	"apps/v1 Deployment":                 func() metav1.Object { return &appsv1.Deployment{} },
	"policy/v1 PodDisruptionBudget":      func() metav1.Object { return &policyv1.PodDisruptionBudget{} },
	"networking.k8s.io/v1 NetworkPolicy": func() metav1.Object { return &networkingv1.NetworkPolicy{} },
}

func TestKubernetes(t *testing.T) {
	data, err := os.ReadFile("../../kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]metav1.Object{}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var kind metav1.TypeMeta
		if err := sigsyaml.Unmarshal(document, &kind); err != nil {
			t.Fatal(err)
		}
		name := kind.APIVersion + " " + kind.Kind
		object := kinds[name]
		if object == nil {
			t.Fatalf("%s is no kind that the test knows", name)
		}
		found[name] = object()
		if err := sigsyaml.UnmarshalStrict(document, found[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(found) != len(kinds) {
		t.Fatalf("there are %d kinds of objects, want %d", len(found), len(kinds))
	}

	deployment := found["apps/v1 Deployment"].(*appsv1.Deployment)
	pod := deployment.Spec.Template
	container := pod.Spec.Containers[0]
	labels := pod.Labels["app.kubernetes.io/name"]
	if *deployment.Spec.Replicas != 2 || deployment.Spec.Selector.MatchLabels["app.kubernetes.io/name"] != labels {
		t.Errorf("the deployment has %d replicas, and its selector is %v",
			*deployment.Spec.Replicas, deployment.Spec.Selector)
	}
	s := container.SecurityContext
	if !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 ||
		!*pod.Spec.SecurityContext.RunAsNonRoot {
		t.Errorf("the container may do too much: %+v", s)
	}
	ports := map[string]bool{}
	for _, p := range container.Ports {
		ports[p.Name] = true
	}
	service := found["v1 Service"].(*corev1.Service).Spec
	if service.IPFamilyPolicy == nil || *service.IPFamilyPolicy != corev1.IPFamilyPolicyPreferDualStack {
		t.Error("the service does not ask for IPv6")
	}
	for _, p := range service.Ports {
		if !ports[p.TargetPort.StrVal] {
			t.Errorf("the service's port %s leads to %v, which the container does not have", p.Name, p.TargetPort)
		}
	}
	for _, probe := range []*corev1.Probe{container.ReadinessProbe, container.LivenessProbe} {
		if probe == nil || !ports[probe.HTTPGet.Port.StrVal] {
			t.Errorf("the probe %+v asks no port of the container", probe)
		}
	}
	volumes := map[string]bool{}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = true
	}
	for _, m := range container.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("there is no volume %s", m.Name)
		}
	}
	if found["policy/v1 PodDisruptionBudget"].(*policyv1.PodDisruptionBudget).Spec.MinAvailable.IntValue() != 1 {
		t.Error("the budget does not keep one pod")
	}
	types := found["networking.k8s.io/v1 NetworkPolicy"].(*networkingv1.NetworkPolicy).Spec.PolicyTypes
	if len(types) != 2 {
		t.Errorf("the policy is for %v, want what comes in and what goes out", types)
	}
	configuration := found["v1 ConfigMap"].(*corev1.ConfigMap).Data["signpost.yaml"]
	secrets := found["v1 Secret"].(*corev1.Secret).StringData
	for _, file := range regexp.MustCompile(`/run/secrets/signpost/(\w+)`).FindAllStringSubmatch(configuration, -1) {
		if secrets[file[1]] == "" {
			t.Errorf("the secret has no key %s, which the configuration reads", file[1])
		}
	}
	if len(secrets) != 2 {
		t.Errorf("the secret has %d keys, want the password and the key that seals", len(secrets))
	}
	check(t, configuration)
}

// check has "signpost check" read a configuration. The password file is not there.
func check(t *testing.T, configuration string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "signpost.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", "./cmd/signpost", "check", "-offline", "-config", file)
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("signpost check: %v\n%s", err, out)
	}
}

func TestCompose(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile("../../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "compose.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	options, err := cli.NewProjectOptions([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service, err := project.GetService("signpost")
	if err != nil {
		t.Fatal(err)
	}
	if !service.ReadOnly || strings.Join(service.CapDrop, " ") != "ALL" {
		t.Errorf("the container may do too much: read_only %t, cap_drop %v", service.ReadOnly, service.CapDrop)
	}
	if len(project.Services) != 3 {
		t.Errorf("there are %d services, want 3", len(project.Services))
	}
	for _, secret := range service.Secrets {
		if _, ok := project.Secrets[secret.Source]; !ok {
			t.Errorf("there is no secret %s", secret.Source)
		}
	}
}
