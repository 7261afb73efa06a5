// Any bytes given as a signed document are refused in a sentence or mean one thing only; none is good without the key. The first
// byte chooses what the rest is: 0 a whole document, 1 the contents of one that is then signed, so that what comes after the
// signature is reached.
#include <cstdint>
#include <cstdlib>

#include "base/failure.h"
#include "release/canonical.h"
#include "release/decision.h"
#include "release/keys.h"

using namespace basalt;
using namespace basalt::release;

namespace {

void demand(bool good) {
  if (!good) std::abort();
}

const PrivateKey& key() {
  static const auto made = PrivateKey::generate();
  return made;
}

Root root() {
  Root out;
  out.version = 1;
  out.keys[key().id()] = key().public_key();
  out.root = out.releases = {{key().id()}, 1};
  return out;
}

// What is refused is refused in words.
template <class Work>
bool passes(Work&& work) {
  try {
    work();
    return true;
  } catch (const Failure& failure) {
    demand(!failure.sentence().empty() && failure.kind() != FailureKind::Bug);
    return false;
  }
}

void whole(std::string_view text) {
  passes([&] {
    auto document = document_of(text);
    demand(text_of(document) == text);
    demand(canonical(parse_canonical(document.signed_text, "It")) == document.signed_text);
    passes([&] { root_in(document); });
    passes([&] { releases_in(document); });
  });
  demand(!passes([&] { releases_of(text, root()); }));  // nobody has this key
  passes([&] { first_root(text); });
  passes([&] { next_root(text, root()); });
  unsigned_news(text);
}

void contents(std::string_view text) {
  passes([&] {
    auto tree = parse_canonical(text, "It");
    demand(canonical(tree) == text);
    if (!tree.is_object()) return;
    Document document{"", tree.get_object(), std::string(text), {}};
    document.signatures.push_back({key().id(), key().sign(text)});
    auto list = releases_of(text_of(document), root());
    Situation situation{.current = "0.1.0", .platform = "linux-x64", .instance = "fuzz", .now = list.signed_at, .policy = Policy::All, .window = {}, .hold = {}, .denied = {}};
    auto decision = due(list, situation);
    demand(!decision.sentence.empty());
    if (decision.kind == Decision::Kind::Install) demand(decision.release && !decision.release->withdrawn && decision.release->artefact("linux-x64"));
    for (auto& release : list.releases) {
      demand(list.find(release.version) == &release);
      demand(release.version.find('/') == std::string::npos && release.version.find("..") == std::string::npos);
      for (auto& artefact : release.artefacts) demand(artefact.file.find('/') == std::string::npos && artefact.file[0] != '.');
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) whole(rest);
  else contents(rest);
  return 0;
}
