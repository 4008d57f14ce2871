package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// judged is what a real client did with an address.
type judged struct {
	Source             string // where the settings came from; "guess", or empty if there are none
	Incoming, Outgoing server
	Candidates         []server // all that Delta Chat keeps, in the order in which it tries them
	Asked              string   // whom the client wanted to trust or to sign in at, before it had an answer
	Failed             string   // what it said instead
	Seconds            float64
}

// succeeded reports whether the client found settings by itself.
func (j judged) succeeded() bool { return j.Source != "" && j.Failed == "" && j.Asked == "" }

func (j judged) String() string {
	var parts []string
	if j.Asked != "" {
		parts = append(parts, j.Asked)
	}
	if j.Failed != "" {
		parts = append(parts, j.Failed)
	}
	switch {
	case j.Source != "":
		parts = append(parts, fmt.Sprintf("%s: %v, %v", j.Source, j.Incoming, j.Outgoing))
	case j.Failed == "":
		parts = append(parts, "nothing")
	}
	return strings.Join(parts, "; ")
}

// judgeScript is Thunderbird's search as its Account Hub conducts it (email.mjs, #findConfig):
// discovery, and a guess if that found nothing. It collects what it finds in the sandbox.
const judgeScript = serverScript + `
const { FindConfig } = ChromeUtils.importESModule("resource:///modules/accountcreation/FindConfig.sys.mjs");
const { GuessConfig } = ChromeUtils.importESModule("resource:///modules/accountcreation/GuessConfig.sys.mjs");
const { AccountConfig } = ChromeUtils.importESModule("resource:///modules/accountcreation/AccountConfig.sys.mjs");
const { OAuth2Module } = ChromeUtils.importESModule("resource:///modules/OAuth2Module.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const [addresses, atOnce] = arguments;
Services.dns.clearCache(true);
globalThis.judgements = {};
globalThis.signIns ??= [];
if (!globalThis.watched) {
  globalThis.watched = true;
  const original = OAuth2Module.prototype.getAccessToken;
  OAuth2Module.prototype.getAccessToken = function (listener) {
    globalThis.signIns.push({ module: this, listener });
    globalThis.signIns.at(-1).username = this._username;
    return original.call(this, listener);
  };
}
async function judge(address) {
  const [local, domain] = address.split("@");
  const abort = new AbortController();
  const result = { Asked: "", Failed: "", Source: "" };
  const started = Date.now();
  let config = null;
  try {
    const search = FindConfig.parallelAutoDiscovery(domain, address, abort.signal);
    const late = new Promise(resolve => setTimeout(() => resolve({ value: { late: true } }), 16000));
    config = (await Promise.race([search.next(), late])).value;
    if (config?.late) {
      const signIn = globalThis.signIns.find(s => s.username == address);
      result.Asked = signIn ? "signs in at outlook.com" : "never ends";
      abort.abort();
      config = null;
      result.Seconds = (Date.now() - started) / 1000;
      return result;
    }
    if (config?.isRedirect) {
      result.Asked = "asks about " + config.host;
      config = (await search.next({ acceptRedirect: true })).value;
    }
    if (!config) {
      const initial = new AccountConfig();
      initial.incoming.username = initial.outgoing.username = local;
      config = await GuessConfig.guessConfig(domain, () => {}, initial, "both", abort.signal).catch(() => null);
    }
  } catch (error) {
    result.Failed = error.message;
  }
  result.Seconds = (Date.now() - started) / 1000;
  if (config) {
    const place = config.displayName || config.subSource;
    AccountConfig.replaceVariables(config, "Anna Svensson", address);
    result.Source = config.source == "guess" ? "guess" : place;
    result.Incoming = words(config.incoming);
    result.Outgoing = words(config.outgoing);
  }
  return result;
}
const waiting = [...addresses];
for (let i = 0; i < atOnce; i++) {
  (async () => {
    while (waiting.length) {
      const address = waiting.shift();
      globalThis.judgements[address] = await judge(address);
    }
  })();
}
`

// judge lets Thunderbird search for the settings of addresses, several at a time.
func (tb *thunderbird) judge(t *testing.T, web *labWeb, atOnce int, all ...subject) map[string]judged {
	t.Helper()
	addresses := []string{}
	for _, s := range all {
		addresses = append(addresses, s.address())
	}
	if err := tb.run(judgeScript, nil, addresses, atOnce); err != nil {
		t.Errorf("Thunderbird's search: %v", err)
		return nil
	}
	for deadline := time.Now().Add(labTimeout / 2); ; time.Sleep(500 * time.Millisecond) {
		var all map[string]judged
		if err := tb.run("return globalThis.judgements;", &all); err != nil {
			t.Errorf("Thunderbird's search: %v", err)
			return nil
		}
		if len(all) == len(addresses) || time.Now().After(deadline) {
			return web.withPlaces(all)
		}
	}
}

// withPlaces fills in where Thunderbird got an answer of Autodiscover, whose name for the
// account it does not keep.
func (l *labWeb) withPlaces(all map[string]judged) map[string]judged {
	for address, j := range all {
		if !strings.HasPrefix(j.Source, "exchange-") {
			continue
		}
		_, domain, _ := strings.Cut(address, "@")
		for _, line := range slices.Backward(l.journal.list()) {
			place, ok := strings.CutPrefix(line, "Thunderbird: POST ")
			place, ok2 := strings.CutSuffix(place, "/autodiscover/autodiscover.xml → 200 Autodiscover")
			if ok && ok2 && strings.HasSuffix(place, domain) {
				j.Source = place
				break
			}
		}
		all[address] = j
	}
	return all
}
