#include "launch/slots.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/crypto.h"
#include "base/durable_file.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "base/tar.h"
#include "launch/state.h"
#include "release/version.h"

namespace basalt::launch {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view half_made = ".half-", set_aside = ".gone-";

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void sync(const fs::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  bool well = fd >= 0 && ::fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) ::close(fd);
  if (!well) throw Failure(FailureKind::Unavailable, "The file " + path.string() + " could not be written to the disk: " + std::strerror(error) + ".");
}

std::string sum_of(const fs::path& file) {
  Sha256 sum;
  std::ifstream in(file, std::ios::binary);
  std::string piece(256 << 10, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) sum.add(std::string_view(piece).substr(0, static_cast<std::size_t>(in.gcount())));
  return hex(sum.finish());
}

bool newer(const std::string& a, const std::string& b) { return release::is_newer(a, b); }

}  // namespace

std::vector<Slot> Slots::list() const {
  std::vector<Slot> out;
  std::error_code error;
  for (auto& entry : fs::directory_iterator(folder_, error)) {
    auto name = entry.path().filename().string();
    if (!release::is_version(name) || !fs::is_regular_file(entry.path() / "basalt", error)) continue;
    out.push_back({name, name, entry.path() / "basalt", json::try_parse(read_text(entry.path() / "release.json")).value_or(json::value(nullptr))});
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return newer(a.version, b.version); });
  out.insert(out.begin(), Slot{installed_slot, version_, program_, nullptr});
  return out;
}

std::optional<Slot> Slots::find(std::string_view name) const {
  auto all = list();
  for (auto& slot : all) if (slot.name == name) return slot;
  for (auto& slot : all) if (slot.version == name) return slot;
  return std::nullopt;
}

std::filesystem::path Slots::program(const std::string& name) const {
  if (auto slot = find(name)) return slot->program;
  throw Failure(FailureKind::NotFound, "Version " + name + " is not in " + folder_.string() + ".");
}

void Slots::require_room(std::int64_t bytes) const {
  struct statvfs disk {};
  auto at = folder_;
  while (!at.empty() && ::statvfs(at.c_str(), &disk) != 0 && at != at.parent_path()) at = at.parent_path();
  auto has = static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  auto megabytes = [](std::int64_t n) { return std::to_string((n + (1 << 20) - 1) >> 20) + " MB"; };
  if (has < bytes) throw Failure(FailureKind::Unavailable, "The new version needs " + megabytes(bytes) + " in " + folder_.string() + ", and only " + megabytes(has) + " are free.");
}

Slot Slots::add(const fs::path& archive, const std::string& version, const json::value& release, const std::set<std::string>& in_use) {
  if (!release::is_version(version)) throw Failure(FailureKind::BadRequest, "\"" + version + "\" is no version; a version is like 0.2.0.");
  auto sum = sum_of(archive);
  auto to = folder_ / version;
  std::error_code error;
  auto there = find(version);
  if (there && there->name == version) {
    if (json::text(there->release, "sha256") == sum) return *there;
    if (in_use.contains(version)) throw Failure(FailureKind::Conflict, "Another archive of version " + version + " is in use here; go back to another version first, or make the release under a number of its own.");
  }
  std::int64_t bytes = 64 << 20;
  for (TarReader reader(archive); auto entry = reader.next();) bytes += entry->bytes;
  require_room(bytes);
  auto half = folder_ / (std::string(half_made) + version + "-" + random_hex(6));
  fs::create_directory(half, error);
  if (error) throw Failure(FailureKind::Unavailable, "The folder " + half.string() + " could not be made: " + error.message() + ".");
  try {
    unpack_tar(archive, half);
    auto mode = fs::status(half / "basalt", error).permissions();
    if (error || !fs::is_regular_file(half / "basalt") || (mode & fs::perms::owner_exec) == fs::perms::none)
      throw Failure(FailureKind::BadRequest, "The archive " + archive.filename().string() + " holds no program called basalt.");
    json::object kept;
    if (auto* given = release.if_object()) kept = *given;
    kept["version"] = version;
    kept["sha256"] = sum;
    write_durably(half / "release.json", json::write(kept) + "\n", 0644);
    for (auto& entry : fs::recursive_directory_iterator(half)) if (entry.is_regular_file() && !entry.is_symlink()) sync(entry.path());
    for (auto& entry : fs::recursive_directory_iterator(half)) if (entry.is_directory() && !entry.is_symlink()) sync(entry.path());
    sync(half);
    fs::permissions(half, static_cast<fs::perms>(0755), error);
    if (fs::exists(to, error)) {
      // Of another archive, and nobody runs it.
      auto aside = folder_ / (std::string(set_aside) + version + "-" + random_hex(6));
      fs::rename(to, aside);
      fs::rename(half, to);
      fs::remove_all(aside, error);
    } else {
      fs::rename(half, to);
    }
    sync(folder_);
  } catch (const fs::filesystem_error& e) {
    fs::remove_all(half, error);
    throw Failure(FailureKind::Unavailable, "The version could not be unpacked into " + folder_.string() + ": " + e.code().message() + ".");
  } catch (...) {
    fs::remove_all(half, error);
    throw;
  }
  return *find(version);
}

void Slots::prune(const std::set<std::string>& keep) {
  std::error_code error;
  bool spare = true;
  for (auto& slot : list()) {
    if (slot.name == installed_slot || keep.contains(slot.name)) continue;
    if (spare) { spare = false; continue; }
    // Out of sight at once, then away: a crash in between leaves nothing that looks like a version.
    auto aside = folder_ / (std::string(set_aside) + slot.name + "-" + random_hex(6));
    fs::rename(folder_ / slot.name, aside, error);
    if (error) log::warning("An old version could not be removed", {{"version", slot.name}, {"why", error.message()}});
  }
  // Half of a version that somebody unpacks right now looks like what a crash left; that one is older.
  std::vector<fs::path> left;
  for (auto& entry : fs::directory_iterator(folder_, error)) {
    auto name = entry.path().filename().string();
    bool old = name.starts_with(half_made) && fs::last_write_time(entry.path(), error) < fs::file_time_type::clock::now() - std::chrono::hours(1);
    if (old || name.starts_with(set_aside)) left.push_back(entry.path());
  }
  for (auto& path : left) fs::remove_all(path, error);
}

}  // namespace basalt::launch
