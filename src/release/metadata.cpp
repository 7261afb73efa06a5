#include "release/metadata.h"

#include <algorithm>
#include <set>

#include "base/crypto.h"
#include "base/failure.h"
#include "release/canonical.h"
#include "release/keys.h"
#include "release/version.h"

namespace basalt::release {
namespace {

constexpr std::size_t most_releases = 1000, most_artefacts = 20, most_keys = 50, most_notes = 20'000, most_text = 200;
constexpr std::int64_t most_number = std::int64_t{1} << 53, most_artefact_bytes = std::int64_t{4} << 30;

[[noreturn]] void refuse(std::string sentence) { throw Failure(FailureKind::BadRequest, std::move(sentence)); }

// "The root", "The list of releases": what a sentence is about.
std::string called(std::string_view type) { return type == "root" ? "The root" : "The list of releases"; }

// One object of a document; every way to ask says what is wrong with the whole.
struct Part {
  const json::object& object;
  std::string what;  // "The root", "The list of releases, at version 0.2.0,"

  [[noreturn]] void wrong(std::string_view key, const std::string& right) const { refuse(what + " is not valid: \"" + std::string(key) + "\" must be " + right + "."); }

  std::string text(std::string_view key, std::size_t most, bool needed = true) const {
    auto* found = object.if_contains(key);
    if (!found && !needed) return "";
    if (!found || !found->is_string() || found->get_string().size() > most || (needed && found->get_string().empty())) wrong(key, "a text of at most " + std::to_string(most) + " bytes");
    return std::string(found->get_string());
  }
  std::int64_t number(std::string_view key, std::int64_t least, std::int64_t most) const {
    auto* found = object.if_contains(key);
    if (!found || !found->is_int64() || found->get_int64() < least || found->get_int64() > most) wrong(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return found->get_int64();
  }
  bool flag(std::string_view key) const {
    auto* found = object.if_contains(key);
    if (!found) return false;
    if (!found->is_bool()) wrong(key, "true or false");
    return found->get_bool();
  }
  Timestamp time(std::string_view key) const {
    auto at = parse_timestamp(text(key, 40));
    if (!at) wrong(key, "a time like 2027-01-01T00:00:00Z");
    return *at;
  }
  const json::object& child(std::string_view key) const {
    auto* found = object.if_contains(key);
    if (!found || !found->is_object()) wrong(key, "an object");
    return found->get_object();
  }
  const json::array& list(std::string_view key, std::size_t most) const {
    auto* found = object.if_contains(key);
    if (!found || !found->is_array() || found->get_array().size() > most) wrong(key, "a list of at most " + std::to_string(most));
    return found->get_array();
  }
};

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_word(std::string_view text, std::string_view marks) {
  return !text.empty() && text.size() <= most_text && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || marks.find(c) != std::string_view::npos;
  });
}

// Only the one text that a value has in base64.
std::optional<std::string> exact_base64(std::string_view text, std::size_t bytes) {
  auto out = from_base64(text);
  if (!out || out->size() != bytes || base64(*out) != text) return std::nullopt;
  return out;
}

Role role_of(const json::object& roles, std::string_view name, const Root& root) {
  Part part{Part{roles, "The root"}.child(name), "The root, at the role " + std::string(name) + ","};
  Role out;
  for (auto& id : part.list("keyids", most_keys)) {
    if (!id.is_string() || !root.keys.contains(std::string(id.get_string()))) part.wrong("keyids", "a list of keys that \"keys\" holds");
    out.keyids.emplace_back(id.get_string());
  }
  std::sort(out.keyids.begin(), out.keyids.end());
  if (std::adjacent_find(out.keyids.begin(), out.keyids.end()) != out.keyids.end()) part.wrong("keyids", "a list that names each key once");
  if (out.keyids.empty()) part.wrong("keyids", "a list of at least one key");
  out.threshold = part.number("threshold", 1, static_cast<std::int64_t>(out.keyids.size()));
  return out;
}

Class class_of(const Part& part) {
  auto text = part.text("class", 20);
  for (auto c : {Class::Security, Class::Minor, Class::Major}) if (text == name_of(c)) return c;
  part.wrong("class", "security, minor or major");
}

Artefact artefact_of(const json::value& v, const std::string& what) {
  if (!v.is_object()) refuse(what + " is not valid: an artefact must be an object.");
  Part part{v.get_object(), what};
  Artefact out;
  out.platform = part.text("platform", 40);
  if (!is_word(out.platform, "-_")) part.wrong("platform", "a name like linux-x64");
  out.file = part.text("file", most_text);
  if (!is_word(out.file, "._+-") || out.file.front() == '.' || out.file.front() == '-') part.wrong("file", "a plain file name");
  out.sha256 = part.text("sha256", 64);
  if (!is_hex(out.sha256, 64)) part.wrong("sha256", "64 hexadecimal digits in lower case");
  out.bytes = part.number("bytes", 1, most_artefact_bytes);
  return out;
}

Release release_of(const json::value& v) {
  if (!v.is_object()) refuse("The list of releases is not valid: each release must be an object.");
  Release out;
  out.as_signed = v.get_object();
  out.version = Part{out.as_signed, "The list of releases"}.text("version", 60);
  auto what = "The list of releases, at version " + out.version + ",";
  Part part{out.as_signed, what};
  // It becomes the name of a folder.
  if (!is_word(out.version, ".-+") || !is_version(out.version) || !(out.version[0] >= '0' && out.version[0] <= '9') || out.version.find("..") != std::string::npos || out.version.back() == '-')
    refuse("The list of releases is not valid: \"version\" must be like 1.2.3 or 1.2.3-rc1.");
  out.released_at = part.time("released_at");
  out.release_class = class_of(part);
  if (out.as_signed.contains("schema")) out.schema = part.number("schema", 0, most_number);
  out.compat_from = part.text("compat_from", 60, false);
  if (!out.compat_from.empty() && !is_version(out.compat_from)) part.wrong("compat_from", "a version");
  out.notes = part.text("notes", most_notes, false);
  out.withdrawn = part.flag("withdrawn");
  out.withdrawn_why = part.text("withdrawn_why", 500, false);
  out.barrier = part.flag("barrier");
  if (out.as_signed.contains("waves")) out.over = std::chrono::hours(Part{part.child("waves"), what}.number("hours", 1, 8760));
  std::set<std::string> platforms;
  for (auto& one : part.list("artefacts", most_artefacts)) {
    out.artefacts.push_back(artefact_of(one, what));
    if (!platforms.insert(out.artefacts.back().platform).second) part.wrong("artefacts", "a list that names each platform once");
  }
  return out;
}

std::string short_ids(const std::vector<std::string>& ids) {
  std::string out;
  for (auto& id : ids) out += (out.empty() ? "" : ", ") + short_id(id);
  return out;
}

std::string shown(Timestamp at) { return to_text(at).substr(0, 10); }

// Refuses what not enough keys of `role` have signed. `owner`: whose role it is, for the sentence.
void require_signed(const Document& document, const std::map<std::string, std::string>& keys, const Role& role, const std::string& owner) {
  auto count = signed_by(document, keys, role);
  if (count >= role.threshold) return;
  auto what = called(document.type);
  std::vector<std::string> strangers;
  for (auto& one : document.signatures) if (std::find(role.keyids.begin(), role.keyids.end(), one.keyid) == role.keyids.end()) strangers.push_back(one.keyid);
  if (document.signatures.empty()) refuse(what + " is not signed; it needs " + std::to_string(role.threshold) + " signatures by keys of " + owner + ".");
  if (count == 0)
    refuse(what + " is signed by other keys (" + short_ids(strangers) + ") than " + owner + " names (" + short_ids(role.keyids) + "); a list and a root belong together, so take both from the same place.");
  refuse(what + " is signed by " + std::to_string(count) + " of the " + std::to_string(role.threshold) + " keys that " + owner + " asks for; somebody has yet to sign it.");
}

}  // namespace

std::string_view name_of(Class c) { return c == Class::Security ? "security" : c == Class::Minor ? "minor" : "major"; }

const Artefact* Release::artefact(std::string_view platform) const {
  for (auto& one : artefacts) if (one.platform == platform) return &one;
  return nullptr;
}

const Release* Releases::find(std::string_view wanted) const {
  for (auto& one : releases) if (compare_versions(one.version, wanted) == 0) return &one;
  return nullptr;
}

const Release* Releases::newest() const { return releases.empty() ? nullptr : &releases.back(); }

Document document_of(std::string_view text) {
  constexpr std::string_view what = "The signed document";
  if (text.size() > most_document_bytes) refuse("The signed document is longer than " + std::to_string(most_document_bytes >> 20) + " MB.");
  if (!text.ends_with('\n')) refuse("The signed document is cut off or was changed: it must end with its one line break.");
  auto tree = parse_canonical(text.substr(0, text.size() - 1), what);
  auto* whole = tree.if_object();
  if (!whole || whole->size() != 2 || !whole->contains("signed") || !whole->contains("signatures") || !whole->at("signed").is_object() || !whole->at("signatures").is_array())
    refuse("The signed document is not valid: it must hold \"signed\" and \"signatures\" and nothing else.");
  Document out;
  out.contents = whole->at("signed").get_object();
  out.type = json::text(whole->at("signed"), "type").value_or("");
  if (out.type != "root" && out.type != "releases") refuse("The signed document is not valid: its \"type\" must be root or releases.");
  out.signed_text = canonical(whole->at("signed"));
  auto& signatures = whole->at("signatures").get_array();
  if (signatures.size() > most_keys) refuse(called(out.type) + " has more than " + std::to_string(most_keys) + " signatures.");
  for (auto& one : signatures) {
    auto keyid = json::text(one, "keyid").value_or("");
    auto signature = exact_base64(json::text(one, "sig").value_or(""), signature_bytes);
    if (!one.is_object() || one.get_object().size() != 2 || !is_hex(keyid, 64) || !signature)
      refuse(called(out.type) + " has a signature that is none: it must hold \"keyid\" and the 64 bytes of an Ed25519 \"sig\" in base64, and nothing else.");
    if (!out.signatures.empty() && keyid == out.signatures.back().keyid) refuse(called(out.type) + " is signed twice by the key " + short_id(keyid) + "; each key signs once.");
    if (!out.signatures.empty() && keyid < out.signatures.back().keyid) refuse(called(out.type) + " has its signatures out of order: they stand by the id of the key.");
    out.signatures.push_back({keyid, std::move(*signature)});
  }
  return out;
}

std::string text_of(const Document& document) {
  json::array signatures;
  auto sorted = document.signatures;
  std::sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.keyid < b.keyid; });
  for (auto& one : sorted) signatures.push_back(json::object{{"keyid", one.keyid}, {"sig", base64(one.signature)}});
  return canonical(json::object{{"signed", document.contents}, {"signatures", std::move(signatures)}}) + "\n";
}

std::int64_t signed_by(const Document& document, const std::map<std::string, std::string>& keys, const Role& role) {
  std::int64_t count = 0;
  for (auto& one : document.signatures) {
    if (std::find(role.keyids.begin(), role.keyids.end(), one.keyid) == role.keyids.end()) continue;
    if (!is_signed(document.signed_text, one.signature, keys.at(one.keyid)))
      refuse("The signature of the key " + short_id(one.keyid) + " does not fit: " + (document.type == "root" ? "the root" : "the list of releases") + " was changed after it was signed, so take it anew.");
    ++count;
  }
  return count;
}

Root root_in(const Document& document) {
  if (document.type != "root") refuse("This is a list of releases where a root belongs; take root.json.");
  Part part{document.contents, "The root"};
  Root out;
  out.version = part.number("version", 1, most_number);
  out.expires = part.time("expires");
  auto& keys = part.child("keys");
  if (keys.size() > most_keys) part.wrong("keys", "at most " + std::to_string(most_keys) + " keys");
  for (auto& [id, v] : keys) {
    auto what = "The root, at the key " + short_id(id) + ",";
    if (!v.is_object()) refuse(what + " is not valid: a key must be an object.");
    Part key{v.get_object(), what};
    if (auto type = key.text("type", 40); type != "ed25519") key.wrong("type", "ed25519, the only kind that counts, not " + type);
    auto bytes = exact_base64(key.text("public", 100), public_key_bytes);
    if (!bytes) key.wrong("public", "the 32 bytes of an Ed25519 key in base64");
    if (id_of(*bytes) != std::string_view(id)) refuse(what + " is not valid: its id must be the SHA-256 of the key.");
    out.keys.emplace(id, std::move(*bytes));
  }
  auto& roles = part.child("roles");
  out.root = role_of(roles, "root", out);
  out.releases = role_of(roles, "releases", out);
  return out;
}

Releases releases_in(const Document& document) {
  if (document.type != "releases") refuse("This is a root where a list of releases belongs; take releases.json.");
  Part part{document.contents, "The list of releases"};
  Releases out;
  out.version = part.number("version", 1, most_number);
  out.signed_at = part.time("signed_at");
  out.expires = part.time("expires");
  for (auto& one : part.list("releases", most_releases)) out.releases.push_back(release_of(one));
  std::stable_sort(out.releases.begin(), out.releases.end(), [](auto& a, auto& b) { return compare_versions(a.version, b.version) == -1; });
  for (std::size_t i = 1; i < out.releases.size(); ++i)
    if (compare_versions(out.releases[i - 1].version, out.releases[i].version) == 0) refuse("The list of releases is not valid: it names version " + out.releases[i].version + " twice.");
  return out;
}

Root first_root(std::string_view text) {
  auto document = document_of(text);
  auto out = root_in(document);
  require_signed(document, out.keys, out.root, "the root itself");
  out.text = std::string(text);
  return out;
}

Root next_root(std::string_view text, const Root& before) {
  auto document = document_of(text);
  auto out = root_in(document);
  if (out.version != before.version + 1)
    refuse("The root has number " + std::to_string(out.version) + " where number " + std::to_string(before.version + 1) + " must follow; roots are taken one after the other.");
  require_signed(document, before.keys, before.root, "root " + std::to_string(before.version));
  require_signed(document, out.keys, out.root, "the root itself");
  out.text = std::string(text);
  return out;
}

Releases releases_of(std::string_view text, const Root& root) {
  auto document = document_of(text);
  if (document.type != "releases") refuse("This is a root where a list of releases belongs; take releases.json.");
  require_signed(document, root.keys, root.releases, "root " + std::to_string(root.version));
  auto out = releases_in(document);
  out.text = std::string(text);
  return out;
}

void require_current(const Root& root, Timestamp at) {
  if (at < root.expires) return;
  refuse("The root has expired on " + shown(root.expires) + ", and it is " + shown(at) + "; its makers must sign a newer one, or the clock of this host is wrong.");
}

void require_current(const Releases& releases, Timestamp at) {
  if (at < releases.expires) return;
  refuse("The list of releases has expired on " + shown(releases.expires) + ", and it is " + shown(at) + "; take a newer one, or the clock of this host is wrong.");
}

std::optional<std::vector<Release>> unsigned_news(std::string_view text) {
  auto document = json::try_parse(text);
  auto* list = document ? json::sub_array(*document, "releases") : nullptr;
  if (!list) return std::nullopt;
  auto cut = [](std::string words, std::size_t most) {
    if (words.size() <= most) return words;
    while (most > 0 && (static_cast<unsigned char>(words[most]) & 0xC0) == 0x80) --most;
    return words.substr(0, most);
  };
  std::vector<Release> out;
  for (auto& one : *list) {
    auto version = json::text(one, "version").value_or("");
    if (version.size() > 60 || !is_version(version)) continue;
    Release release;
    release.version = version;
    release.released_at = parse_timestamp(json::text(one, "released_at").value_or("")).value_or(Timestamp{});
    auto words = json::text(one, "class").value_or("");
    release.release_class = words == "security" ? Class::Security : words == "major" ? Class::Major : Class::Minor;
    release.schema = json::integer(one, "schema");
    release.notes = cut(json::text(one, "notes").value_or(""), most_notes);
    release.withdrawn = json::boolean(one, "withdrawn").value_or(false);
    out.push_back(std::move(release));
    if (out.size() == most_releases) break;
  }
  std::stable_sort(out.begin(), out.end(), [](auto& a, auto& b) { return compare_versions(a.version, b.version) == -1; });
  return out;
}

}  // namespace basalt::release
