#include "release/make.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/durable_file.h"
#include "base/failure.h"
#include "base/random.h"
#include "base/tar_write.h"
#include "client/client.h"
#include "release/trust.h"
#include "release/version.h"

namespace basalt::release {
namespace {

[[noreturn]] void refuse(FailureKind kind, std::string sentence) { throw Failure(kind, std::move(sentence)); }

std::string time_text(Timestamp at) { return to_text(at).substr(0, 19) + "Z"; }

json::object role_json(const Feed::Keys& keys) {
  json::array ids;
  for (auto& key : keys.public_keys) ids.emplace_back(id_of(key));
  return {{"keyids", std::move(ids)}, {"threshold", keys.threshold}};
}

Document draft_of(std::string type, json::object contents) {
  contents["type"] = type;
  Document out{std::move(type), std::move(contents), "", {}};
  return document_of(text_of(out));  // as everybody will read it
}

}  // namespace

Feed::Feed(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (!std::filesystem::is_directory(folder_)) refuse(FailureKind::BadRequest, "The folder " + folder_.string() + " cannot be made.");
}

std::optional<std::string> Feed::published(const std::string& name) const { return client::fetch_text((folder_ / name).string(), {.most_bytes = most_document_bytes}); }
std::optional<std::string> Feed::drafted(const std::string& name) const { return published("draft/" + name); }

void Feed::write_draft(const std::string& name, const Document& document) const {
  std::filesystem::create_directories(folder_ / "draft");
  write_durably(folder_ / "draft" / name, text_of(document), 0644);
}

Root Feed::newest_root() const {
  auto text = published("root.json");
  if (!text) refuse(FailureKind::Conflict, "There is no root in " + folder_.string() + " yet: `basalt release root` drafts it, and `basalt release sign` publishes it.");
  return first_root(*text);
}

void Feed::draft_root(const Keys& root, const Keys& releases, Timestamp expires) {
  auto before = published("root.json");
  json::object keys;
  for (auto* role : {&root, &releases})
    for (auto& key : role->public_keys) keys[id_of(key)] = json::object{{"type", "ed25519"}, {"public", base64(key)}};
  auto draft = draft_of("root", {{"version", before ? first_root(*before).version + 1 : 1}, {"expires", time_text(expires)}, {"keys", std::move(keys)},
                                 {"roles", json::object{{"root", role_json(root)}, {"releases", role_json(releases)}}}});
  root_in(draft);  // says what is wrong
  write_draft("root.json", draft);
}

Document Feed::list_draft(Timestamp now, Timestamp expires) const {
  auto root = newest_root();
  json::object contents{{"releases", json::array()}};
  std::int64_t version = 0;
  // Read without its signatures: after a rotation of keys the published list may be one that the new root does not know.
  if (auto before = published("releases.json")) {
    auto document = document_of(*before);
    version = releases_in(document).version;
    contents = document.contents;
  }
  if (auto draft = drafted("releases.json")) contents = document_of(*draft).contents;
  contents["version"] = version + 1;
  contents["signed_at"] = time_text(now);
  contents["expires"] = time_text(expires);
  return draft_of("releases", std::move(contents));
}

void Feed::add(const NewRelease& release, Timestamp now, Timestamp expires) {
  auto draft = list_draft(now, expires);
  auto version = json::text(json::value(release.entry), "version").value_or("");
  if (auto before = published("releases.json"); before && releases_in(document_of(*before)).find(version))
    refuse(FailureKind::Conflict, "Version " + version + " is published already, and what was published does not change; give the next one a new number, or withdraw it.");
  auto entry = release.entry;
  json::array artefacts;
  for (auto& [platform, file] : release.artefacts) {
    auto found = measured(file);
    artefacts.push_back(json::object{{"platform", platform}, {"file", file.filename().string()}, {"sha256", found.sha256}, {"bytes", found.bytes}});
  }
  if (!artefacts.empty() || !entry.contains("artefacts")) entry["artefacts"] = std::move(artefacts);
  auto& list = draft.contents["releases"].get_array();
  list.erase(std::remove_if(list.begin(), list.end(), [&](auto& one) { return json::text(one, "version") == version; }), list.end());
  list.push_back(entry);
  draft = draft_of("releases", draft.contents);
  releases_in(draft);  // says what is wrong, before a file is copied
  for (auto& [platform, file] : release.artefacts) {
    auto to = folder_ / file.filename();
    std::error_code error;
    if (std::filesystem::equivalent(file, to, error)) continue;
    std::filesystem::copy_file(file, to, std::filesystem::copy_options::overwrite_existing, error);
    if (error) refuse(FailureKind::Unavailable, "The file " + to.string() + " cannot be written: " + error.message() + ".");
  }
  write_draft("releases.json", draft);
}

void Feed::withdraw(const std::string& version, const std::string& why, Timestamp now, Timestamp expires) {
  auto draft = list_draft(now, expires);
  bool found = false;
  for (auto& one : draft.contents["releases"].get_array()) {
    if (compare_versions(json::text(one, "version").value_or(""), version) != 0) continue;
    found = true;
    one.get_object()["withdrawn"] = true;
    if (!why.empty()) one.get_object()["withdrawn_why"] = why;
  }
  if (!found) refuse(FailureKind::NotFound, "There is no version " + version + " in the list.");
  draft = draft_of("releases", draft.contents);
  releases_in(draft);
  write_draft("releases.json", draft);
}

void Feed::renew(Timestamp now, Timestamp expires) { write_draft("releases.json", list_draft(now, expires)); }

std::vector<std::string> Feed::sign(const PrivateKey& key) {
  std::vector<std::string> said;
  auto id = key.id();
  auto names = [&](const Role& role) { return std::find(role.keyids.begin(), role.keyids.end(), id) != role.keyids.end(); };
  auto add = [&](Document& document) {
    std::erase_if(document.signatures, [&](auto& one) { return one.keyid == id; });
    document.signatures.push_back({id, key.sign(document.signed_text)});
  };
  auto tell = [&](const std::string& what, std::int64_t count, const Role& role, const std::string& more) {
    said.push_back(what + " has " + std::to_string(count) + " of " + std::to_string(role.threshold) + " signatures" + more);
  };
  if (auto text = drafted("root.json")) {
    auto document = document_of(*text);
    auto root = root_in(document);
    auto published_root = published("root.json");
    auto before = published_root ? std::optional(first_root(*published_root)) : std::nullopt;
    if (names(root.root) || (before && names(before->root))) {
      add(document);
      auto own = signed_by(document, root.keys, root.root);
      bool enough = own >= root.root.threshold;
      auto what = "The draft of root " + std::to_string(root.version);
      if (before) {
        auto old = signed_by(document, before->keys, before->root);
        tell(what, old, before->root, " by the keys of root " + std::to_string(before->version) + ".");
        enough = enough && old >= before->root.threshold;
      }
      tell(what, own, root.root, " by its own keys" + std::string(enough ? "; it is published." : "."));
      write_draft("root.json", document);
      if (enough) {
        auto done = text_of(document);
        if (before) next_root(done, *before); else first_root(done);
        write_durably(folder_ / (std::to_string(root.version) + ".root.json"), done, 0644);
        write_durably(folder_ / "root.json", done, 0644);
        std::filesystem::remove(folder_ / "draft" / "root.json");
      }
    }
  }
  if (auto text = drafted("releases.json")) {
    auto document = document_of(*text);
    auto root = newest_root();
    if (names(root.releases)) {
      add(document);
      auto count = signed_by(document, root.keys, root.releases);
      bool enough = count >= root.releases.threshold;
      tell("The draft of list " + std::to_string(releases_in(document).version), count, root.releases, enough ? "; it is published." : ".");
      write_draft("releases.json", document);
      if (enough) {
        auto done = text_of(document);
        releases_of(done, root);
        write_durably(folder_ / "releases.json", done, 0644);
        std::filesystem::remove(folder_ / "draft" / "releases.json");
      }
    }
  }
  if (said.empty()) refuse(FailureKind::BadRequest, "There is no draft in " + folder_.string() + " that the key " + short_id(id) + " has to sign.");
  std::error_code ignored;
  std::filesystem::remove(folder_ / "draft", ignored);  // when it is empty
  return said;
}

std::vector<std::string> Feed::check(Timestamp now, const std::optional<std::string>& anchor) const {
  auto first = anchor ? anchor : published("1.root.json");
  if (!first) refuse(FailureKind::BadRequest, "There is no 1.root.json in " + folder_.string() + ".");
  auto scratch = std::filesystem::temp_directory_path() / ("basalt-release-check-" + random_hex(8));
  struct Gone {
    std::filesystem::path path;
    ~Gone() { std::error_code ignored; std::filesystem::remove_all(path, ignored); }
  } gone{scratch};
  auto source = open_source(folder_.string());
  auto list = Trust(scratch, *first).refresh(*source, now);
  auto root = newest_root();
  std::vector<std::string> said{"Root " + std::to_string(root.version) + " is good until " + to_text(root.expires).substr(0, 10) + ": " + std::to_string(root.root.threshold) + " of " + std::to_string(root.root.keyids.size()) + " keys sign roots, " +
                                    std::to_string(root.releases.threshold) + " of " + std::to_string(root.releases.keyids.size()) + " the list.",
                                "List " + std::to_string(list.version) + " is good until " + to_text(list.expires).substr(0, 10) + "."};
  for (auto& release : list.releases) {
    std::string line = release.version + " (" + std::string(name_of(release.release_class)) + (release.barrier ? ", barrier" : "") + (release.withdrawn ? ", withdrawn" : "") + ")";
    for (auto& artefact : release.artefacts) {
      if (!release.withdrawn) require_artefact(folder_ / artefact.file, release, artefact.platform);
      line += " " + artefact.platform;
    }
    said.push_back(line);
  }
  return said;
}

void Feed::bundle(const std::string& version, const std::string& platform, const std::filesystem::path& file) const {
  auto root = newest_root();
  auto text = published("releases.json");
  if (!text) refuse(FailureKind::Conflict, "There is no published list in " + folder_.string() + ".");
  auto list = releases_of(*text, root);
  auto* release = list.find(version);
  if (!release) refuse(FailureKind::NotFound, "There is no version " + version + " in the list.");
  if (release->withdrawn) refuse(FailureKind::Conflict, "Version " + version + " was withdrawn.");
  auto* artefact = release->artefact(platform);
  if (!artefact) refuse(FailureKind::NotFound, "Version " + version + " has no artefact for " + platform + ".");
  require_artefact(folder_ / artefact->file, *release, platform);
  std::vector<std::string> names{"root.json"};
  for (std::int64_t n = 1; n <= root.version; ++n) names.push_back(std::to_string(n) + ".root.json");
  names.insert(names.end(), {"releases.json", artefact->file});
  write_tar(file, folder_, names);
}

}  // namespace basalt::release
