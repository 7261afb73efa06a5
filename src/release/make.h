// The makers' side: a folder of static files, changed in drafts, signed by one key after the other, published when enough have
// signed. What is published is checked as an installation would check it. Files: root.json, N.root.json, releases.json, artefacts;
// drafts: draft/root.json, draft/releases.json (never to be served).
#pragma once
#include <filesystem>

#include "release/keys.h"
#include "release/metadata.h"

namespace basalt::release {

class Feed {
 public:
  explicit Feed(std::filesystem::path folder);  // made when needed

  struct Keys {
    std::vector<std::string> public_keys;  // 32 bytes each
    std::int64_t threshold = 1;
  };
  // A draft of the first root, or of the one after the published one.
  void draft_root(const Keys& root, const Keys& releases, Timestamp expires);

  // Each drafts the list after the published one, or changes the draft there is (which takes its signatures away).
  struct NewRelease {
    json::object entry;                                                   // version, released_at, class, schema, notes, …
    std::vector<std::pair<std::string, std::filesystem::path>> artefacts; // platform, file: copied beside the list
  };
  void add(const NewRelease& release, Timestamp now, Timestamp expires);  // replaces a draft's entry; Failure Conflict for a published version
  void withdraw(const std::string& version, const std::string& why, Timestamp now, Timestamp expires);
  void renew(Timestamp now, Timestamp expires);                           // the same list, good for longer

  // Signs every draft that `key` has a part in, and publishes those that enough keys have signed. One sentence for each draft.
  // Failure BadRequest when there is no draft for it.
  std::vector<std::string> sign(const PrivateKey& key);

  // Checks all of it as an installation does, starting from root 1 (or `anchor`), with every artefact that is not withdrawn, at
  // `now`. Gives sentences on what is there; throws Failure for what is wrong.
  std::vector<std::string> check(Timestamp now, const std::optional<std::string>& anchor = {}) const;

  // Writes one file for a host without a network: roots, list and the artefact of `version` for `platform`.
  void bundle(const std::string& version, const std::string& platform, const std::filesystem::path& file) const;

 private:
  std::optional<std::string> published(const std::string& name) const;
  std::optional<std::string> drafted(const std::string& name) const;
  void write_draft(const std::string& name, const Document& document) const;
  Document list_draft(Timestamp now, Timestamp expires) const;
  Root newest_root() const;

  std::filesystem::path folder_;
};

}  // namespace basalt::release
