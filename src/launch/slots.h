// The versions that are unpacked on this host: <versions>/<version>/{basalt,lib/,release.json}.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace basalt::launch {

struct Slot {
  std::string name;           // "installed" or the version
  std::string version;
  std::filesystem::path program;
  json::value release;        // its signed entry as it was when it was unpacked, with "sha256" of the archive; null: installed otherwise
};

// Any thread or process, as far as each slot is changed by one at a time (see lock.h).
class Slots {
 public:
  // `folder`: of all versions; `program`, `version`: of the installed one.
  Slots(std::filesystem::path folder, std::filesystem::path program, std::string version) : folder_(std::move(folder)), program_(std::move(program)), version_(std::move(version)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::vector<Slot> list() const;                            // the installed one first, then newest first
  std::optional<Slot> find(std::string_view name) const;     // by slot name; also the installed one by its version
  std::filesystem::path program(const std::string& name) const;  // Failure NotFound when there is no such slot

  // Unpacks an archive whose origin was checked, as `version`; durable when it returns. Done already when a slot was made of the
  // same archive. Failure: BadRequest for an archive that is none of ours, Unavailable in one sentence when there is no room,
  // Conflict when another archive of that version is in use.
  Slot add(const std::filesystem::path& archive, const std::string& version, const json::value& release, const std::set<std::string>& in_use);
  // Removes versions, oldest first, until beside `keep` there is only one more; and what a crash left half unpacked.
  void prune(const std::set<std::string>& keep);
  // Room for an archive of `bytes` and what is unpacked from it. Failure Unavailable.
  void require_room(std::int64_t bytes) const;

 private:
  std::filesystem::path folder_, program_;
  std::string version_;
};

}  // namespace basalt::launch
