// The two signed documents: the root (which keys count) and the releases (which versions there are). Text in, checked values out.
// Whatever is wrong is a Failure BadRequest in one sentence that says what was wrong and what would be right.
//
//   {"signatures":[{"keyid":…,"sig":…}],"signed":{"type":"root"|"releases","version":N,"expires":"2027-01-01T00:00:00Z",…}}\n
//
// One form only: canonical JSON (canonical.h), so a document has exactly one text and every byte of it counts. The signature
// (Ed25519, nothing else) is over the text of "signed"; a key's id is the SHA-256 of its 32 bytes, so no key counts twice.
// Members of "signed" that are not known are kept and passed over; outside of it there are none.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace basalt::release {

inline constexpr std::size_t most_document_bytes = 4 << 20;

struct Role {
  std::vector<std::string> keyids;  // sorted, each once
  std::int64_t threshold = 1;       // of them must have signed
  bool operator==(const Role&) const = default;
};

struct Root {
  std::int64_t version = 0;
  Timestamp expires;
  std::map<std::string, std::string> keys;  // id (hex) to the 32 bytes of the public key
  Role root, releases;
  std::string text;                         // the whole document as it was read; empty in news that nobody signed
};

enum class Class { Security, Minor, Major };
std::string_view name_of(Class c);  // "security", "minor", "major"

struct Artefact {
  std::string platform;   // "linux-x64"
  std::string file;       // a plain name beside releases.json
  std::string sha256;     // hex
  std::int64_t bytes = 0;
};

struct Release {
  std::string version;
  Timestamp released_at;
  Class release_class = Class::Minor;
  std::optional<std::int64_t> schema;
  std::string compat_from;          // the oldest version that may go here directly; empty: any
  std::string notes;                // markdown
  bool withdrawn = false;
  std::string withdrawn_why;
  bool barrier = false;             // whoever is older goes here first
  std::optional<std::chrono::hours> over;  // within which it reaches everybody; absent: as its class says
  std::vector<Artefact> artefacts;
  json::object as_signed;           // its entry, with what is not known here

  const Artefact* artefact(std::string_view platform) const;  // null when there is none; lives as long as the release
};

struct Releases {
  std::int64_t version = 0;
  Timestamp signed_at, expires;
  std::vector<Release> releases;    // oldest version first, each once
  std::string text;

  const Release* find(std::string_view version) const;  // lives as long as the list
  const Release* newest() const;    // withdrawn ones count too; null when there is none
};

// Reads a document and checks its signatures. None of these looks at a clock: see require_current().
// A root that vouches for itself: its own keys have signed it, enough of them. For the root that is built in or configured.
Root first_root(std::string_view text);
// The root that follows `before`: exactly one number later, signed by enough keys of `before` and by enough of its own.
Root next_root(std::string_view text, const Root& before);
// The list of releases, signed by enough keys of the role "releases" of `root`.
Releases releases_of(std::string_view text, const Root& root);

// Refuses what has expired at `at`.
void require_current(const Root& root, Timestamp at);
void require_current(const Releases& releases, Timestamp at);

// A document as its makers have it, signatures unchecked and perhaps not there yet; for make.h.
struct Document {
  struct Signature { std::string keyid, signature; };
  std::string type;
  json::object contents;              // "signed"
  std::string signed_text;            // what the signatures are over
  std::vector<Signature> signatures;  // by key id, each once
};
Document document_of(std::string_view text);
std::string text_of(const Document& document);
// How many keys of `role` have signed; throws when one of them did, but over another text.
std::int64_t signed_by(const Document& document, const std::map<std::string, std::string>& keys, const Role& role);
// What the parts mean, without signatures.
Root root_in(const Document& document);
Releases releases_in(const Document& document);

// What is in an unsigned list of the older form {"releases":[…]}, for news only; absent when it is none. Never to be installed.
std::optional<std::vector<Release>> unsigned_news(std::string_view text);

}  // namespace basalt::release
