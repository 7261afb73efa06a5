// What this installation has seen, kept in a folder (versions/trust) so that nothing ever goes back; and the way from a source to
// a verified file on the disk. Blocking calls. Several processes may use one folder: each step holds a lock on it.
#pragma once
#include <filesystem>
#include <memory>

#include "client/client.h"
#include "release/metadata.h"

namespace basalt::release {

// Where the static files are.
class Repository {
 public:
  virtual ~Repository() = default;
  virtual std::optional<std::string> text(const std::string& name) const = 0;  // absent: there is none
  // Streams at most `most_bytes` to a new file.
  virtual client::Downloaded download(const std::string& name, const std::filesystem::path& path, std::int64_t most_bytes, const client::Told& told) const = 0;
  virtual std::string shown() const = 0;  // for sentences: host or path
};

struct SourceOptions {
  std::string ca_file;                                  // for https, besides the system's certificates
  std::chrono::milliseconds patience{10'000};           // for each document
  std::chrono::milliseconds download_patience{30 * 60'000};
  std::stop_token stop;
};
// `source`: the address or path of releases.json, or of its folder.
std::unique_ptr<Repository> open_source(const std::string& source, const SourceOptions& options = {});
// One file for hosts without a network: a tar of root.json, N.root.json, releases.json and artefacts. Nothing is unpacked that
// is not asked for. The file is read again with each call.
std::unique_ptr<Repository> open_bundle(const std::filesystem::path& file);

// The root that this program was built with; empty when it was built without one.
std::string_view built_in_root();

class Trust {
 public:
  // `folder` is made when needed (0700). `anchor`: the text of the first root (built in, or the file of option release-root).
  // Failure BadRequest when it is not one. Another anchor than before starts anew unless one of the two signed the other.
  Trust(std::filesystem::path folder, std::string_view anchor);

  // Reads the source's newer roots and its list, checks all of it at `now` and against what was seen before, keeps it, gives
  // the list. Refused, while the list that was kept stays: whatever metadata.h refuses; a list or root older than seen; another
  // one with a number that was seen; a list without the newest release that was seen; expired at `now`, or at the latest time
  // that this installation has seen (a clock that is set back brings nothing back); signed later than `now`. A newer root is
  // kept even then: keys that were taken back stay so.
  Releases refresh(const Repository& source, Timestamp now);
  // The list that was kept, checked again; absent when there is none, or it has expired.
  std::optional<Releases> known(Timestamp now) const;

 private:
  struct State;
  State load() const;
  void store(const State& state) const;
  Root newest_root(const Repository& source, Root root, const std::string& shown) const;

  std::filesystem::path folder_;
  std::string anchor_;
};

// Length and SHA-256 of a file on the disk. Failure Unavailable when it cannot be read.
client::Downloaded measured(const std::filesystem::path& path);

// Downloads the artefact of `release` for `platform` to `path` and compares length and SHA-256 with the signed ones; a file that
// is there already and fits is taken as it is. Failure BadRequest when it was swapped, cut or there is none for the platform;
// then no file is left.
void fetch_artefact(const Repository& source, const Release& release, std::string_view platform, const std::filesystem::path& path, const client::Told& told = {});
// Compares a file with the signed length and SHA-256; Failure BadRequest when it is another.
void require_artefact(const std::filesystem::path& path, const Release& release, std::string_view platform);

}  // namespace basalt::release
