#include "release/trust.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/durable_file.h"
#include "base/failure.h"
#include "base/random.h"
#include "release/version.h"
#include "release_root.h"

namespace basalt::release {
namespace {

constexpr int most_rotations = 1000;
constexpr std::chrono::hours clock_slack{24};

[[noreturn]] void refuse(std::string sentence) { throw Failure(FailureKind::BadRequest, std::move(sentence)); }

std::string day(Timestamp at) { return to_text(at).substr(0, 10); }

// One process at a time looks and remembers.
class Lock {
 public:
  explicit Lock(const std::filesystem::path& folder) {
    std::error_code error;
    for (auto above : {folder.parent_path(), folder}) {
      if (above.empty() || !std::filesystem::create_directories(above, error)) continue;
      std::filesystem::permissions(above, std::filesystem::perms::owner_all, error);
      keep_owner(above);
    }
    bool fresh = !std::filesystem::exists(folder / "lock", error);
    descriptor_ = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fresh) keep_owner(folder / "lock");
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX) != 0) {
      if (descriptor_ >= 0) ::close(descriptor_);
      throw Failure(FailureKind::Unavailable, "The folder " + folder.string() + " cannot be written; what was seen of releases is kept there.");
    }
  }
  ~Lock() { ::close(descriptor_); }
  Lock(const Lock&) = delete;

 private:
  int descriptor_ = -1;
};

// Another key may have signed the same meanwhile.
bool says_the_same(const std::string& a, const std::string& b) { return a == b || document_of(a).signed_text == document_of(b).signed_text; }

bool follows(const std::string& text, const Root& before) {
  try {
    next_root(text, before);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

bool vouches(const Root& root, const std::string& list) {
  try {
    releases_of(list, root);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

}  // namespace

// One file, trust.json, so that it is replaced at once: {format, anchors, root, releases, seen_at}, both documents as their text.
struct Trust::State {
  std::vector<std::string> anchors;  // SHA-256 of each first root that led here
  Root root;
  std::string list;                  // text; empty: none seen
  Timestamp seen_at{};               // the latest time at which a document was still good, never later than it expired
};

std::string_view built_in_root() { return release_root_text; }

Trust::Trust(std::filesystem::path folder, std::string_view anchor) : folder_(std::move(folder)), anchor_(anchor) { first_root(anchor_); }

Trust::State Trust::load() const {
  auto anchor = first_root(anchor_);
  auto hash = sha256_hex(anchor_);
  State fresh{{hash}, anchor, "", {}};
  auto path = (folder_ / "trust.json").string();
  auto answer = client::fetch({.url = path}, {.most_bytes = 4 * static_cast<std::int64_t>(most_document_bytes)});
  if (answer.status == 404) return fresh;
  auto damaged = [&] { refuse("The file " + path + " is damaged; it holds what was seen of releases. Put it back from a backup, or remove it to trust the first root alone again."); };
  auto tree = json::try_parse(answer.body);
  auto root = tree ? json::text(*tree, "root") : std::nullopt;
  auto* anchors = tree ? json::sub_array(*tree, "anchors") : nullptr;
  auto seen_at = tree ? parse_timestamp(json::text(*tree, "seen_at").value_or("")) : std::nullopt;
  if (!root || !anchors || !seen_at) damaged();
  State out;
  try {
    out.root = first_root(*root);
    out.list = json::text(*tree, "releases").value_or("");
    if (!out.list.empty()) releases_of(out.list, out.root);
  } catch (const Failure&) {
    damaged();
  }
  out.seen_at = *seen_at;
  for (auto& one : *anchors) if (one.is_string()) out.anchors.emplace_back(one.get_string());
  if (std::find(out.anchors.begin(), out.anchors.end(), hash) != out.anchors.end()) return out;
  // Another first root than before: that of a newer or older program of the same makers, or somebody chose other makers.
  bool same = anchor_ == out.root.text || follows(anchor_, out.root) || follows(out.root.text, anchor) || (!out.list.empty() && vouches(anchor, out.list));
  if (!same) return fresh;
  out.anchors.push_back(hash);
  if (anchor.version > out.root.version) {
    out.root = anchor;
    if (!out.list.empty() && !vouches(anchor, out.list)) out.list.clear();
  }
  return out;
}

void Trust::store(const State& state) const {
  json::array anchors;
  for (auto& one : state.anchors) anchors.emplace_back(one);
  write_durably(folder_ / "trust.json", json::write_pretty(json::object{{"format", 1}, {"anchors", std::move(anchors)}, {"root", state.root.text}, {"releases", state.list}, {"seen_at", to_text(state.seen_at)}}) + "\n");
}

Root Trust::newest_root(const Repository& source, Root root, const std::string& shown) const {
  auto latest = source.text("root.json");
  std::optional<Root> stated;
  if (latest) {
    stated = root_in(document_of(*latest));
    if (stated->version < root.version)
      refuse("The root of " + shown + " has number " + std::to_string(stated->version) + ", but number " + std::to_string(root.version) + " was seen before; an old copy is not taken.");
    if (stated->version == root.version && !says_the_same(*latest, root.text))
      refuse("The root of " + shown + " is another one with the same number " + std::to_string(root.version) + " as the one that is trusted here; it belongs to other makers, or was changed.");
  }
  for (int i = 0; i < most_rotations; ++i) {
    auto number = std::to_string(root.version + 1);
    auto text = source.text(number + ".root.json");
    if (!text && stated && stated->version == root.version + 1) text = latest;
    if (!text) {
      if (stated && stated->version > root.version) refuse("The root of " + shown + " has number " + std::to_string(stated->version) + ", but " + number + ".root.json is missing on the way there from number " + std::to_string(root.version) + ".");
      return root;
    }
    root = next_root(*text, root);
  }
  refuse("There are more than " + std::to_string(most_rotations) + " roots at " + shown + ".");
}

Releases Trust::refresh(const Repository& source, Timestamp now) {
  Lock lock(folder_);
  auto state = load();
  auto shown = source.shown();
  auto root = newest_root(source, state.root, shown);
  if (root.version != state.root.version) {
    // Keys that are not named any more take what they signed with them: also a number that was far too high.
    if (!state.list.empty() && !vouches(root, state.list)) state.list.clear();
    state.root = root;
    store(state);
  }
  auto text = source.text("releases.json");
  if (!text) throw Failure(FailureKind::Unavailable, "There is no releases.json at " + shown + ".");
  auto list = releases_of(*text, root);
  if (!state.list.empty()) {
    auto before = releases_of(state.list, root);
    if (list.version < before.version)
      refuse("The list of releases at " + shown + " has number " + std::to_string(list.version) + ", but number " + std::to_string(before.version) + " was seen before; an old copy is not taken.");
    if (list.version == before.version && !says_the_same(list.text, before.text))
      refuse("The list of releases at " + shown + " is another one with the same number " + std::to_string(list.version) + " as one that was seen before; its makers must give it a new number.");
    if (auto* newest = before.newest(); newest && !list.find(newest->version))
      refuse("The list of releases at " + shown + " does not name version " + newest->version + " any more, which was seen before; a version is withdrawn, not left out.");
  }
  // What has been too late once stays so: a clock that is set back does not change how late it has been. It counts only up to
  // the end of what is at hand, so that one wrong clock cannot shut out what is signed later.
  auto at = std::max(now, state.seen_at);
  auto seen_at = std::max(state.seen_at, std::min(now, std::min(list.expires, root.expires)));
  if (at >= root.expires || at >= list.expires) {
    if (seen_at != state.seen_at) {
      state.seen_at = seen_at;
      store(state);
    }
    if (now + clock_slack < at) refuse("The clock of this host says " + day(now) + ", but it has been " + day(at) + " here already, when the list of releases expired; set the clock, or take a newer list.");
    require_current(root, at);
    require_current(list, at);
  }
  if (now + clock_slack < list.signed_at) refuse("The clock of this host says " + day(now) + ", but the list of releases was signed on " + day(list.signed_at) + "; set the clock.");
  if (state.list == list.text && state.seen_at == seen_at) return list;
  state.list = list.text;
  state.seen_at = seen_at;
  store(state);
  return list;
}

std::optional<Releases> Trust::known(Timestamp now) const {
  auto state = load();
  if (state.list.empty()) return std::nullopt;
  auto list = releases_of(state.list, state.root);
  auto at = std::max(now, state.seen_at);
  if (at >= list.expires || at >= state.root.expires) return std::nullopt;
  return list;
}

client::Downloaded measured(const std::filesystem::path& path) {
  auto unreadable = [&] { throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be read."); };
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) unreadable();
  client::Downloaded out;
  Sha256 hash;
  std::string piece(256 << 10, '\0');
  ssize_t got;
  while ((got = ::read(descriptor, piece.data(), piece.size())) > 0) {
    hash.add(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
    out.bytes += got;
  }
  ::close(descriptor);
  if (got < 0) unreadable();
  out.sha256 = hex(hash.finish());
  return out;
}

void require_artefact(const std::filesystem::path& path, const Release& release, std::string_view platform) {
  auto* artefact = release.artefact(platform);
  if (!artefact) refuse("There is no artefact of version " + release.version + " for " + std::string(platform) + ".");
  auto found = measured(path);
  if (found.bytes != artefact->bytes)
    refuse("The file " + artefact->file + " has " + std::to_string(found.bytes) + " bytes where " + std::to_string(artefact->bytes) + " were signed; it was cut, or is another file.");
  if (found.sha256 != artefact->sha256) refuse("The file " + artefact->file + " is not the one that was signed for version " + release.version + ": its SHA-256 is another; take it anew.");
}

void fetch_artefact(const Repository& source, const Release& release, std::string_view platform, const std::filesystem::path& path, const client::Told& told) {
  auto* artefact = release.artefact(platform);
  if (!artefact) {
    std::string others;
    for (auto& one : release.artefacts) others += (others.empty() ? "" : ", ") + one.platform;
    refuse("Version " + release.version + " has no artefact for " + std::string(platform) + (others.empty() ? "." : "; there is one for " + others + "."));
  }
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    try {
      return require_artefact(path, release, platform);
    } catch (const Failure&) {
      std::filesystem::remove(path, ignored);  // of a time when it was another, or half
    }
  }
  auto arriving = path.string() + ".arriving-" + random_hex(4);
  struct Gone {
    const std::string& path;
    ~Gone() { ::unlink(path.c_str()); }
  } gone{arriving};
  client::Downloaded got;
  try {
    got = source.download(artefact->file, arriving, artefact->bytes, told);
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::TooLarge) throw;
    refuse("The file " + artefact->file + " at " + source.shown() + " is longer than the " + std::to_string(artefact->bytes) + " bytes that were signed; it is another file.");
  }
  if (got.bytes != artefact->bytes)
    refuse("The file " + artefact->file + " at " + source.shown() + " has " + std::to_string(got.bytes) + " bytes where " + std::to_string(artefact->bytes) + " were signed; it was cut, or is another file.");
  if (got.sha256 != artefact->sha256)
    refuse("The file " + artefact->file + " at " + source.shown() + " is not the one that was signed for version " + release.version + ": its SHA-256 is another.");
  if (::rename(arriving.c_str(), path.c_str()) != 0) throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be made.");
}

}  // namespace basalt::release
