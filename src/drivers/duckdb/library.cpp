#include "drivers/duckdb/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/failure.h"
#include "base/log.h"

namespace basalt::drivers::duckdb {
namespace {

std::vector<std::string> places() {
  std::vector<std::string> found;
  if (auto* named = std::getenv("BASALT_DUCKDB_LIBRARY"); named && *named) return {named};
  std::error_code error;
  auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  if (!error) {
    found.push_back(program / "lib/libduckdb.so");  // the tarball, and a version that the launcher runs
    found.push_back(program / "libduckdb.so");
    found.push_back((program / "../lib/basalt/libduckdb.so").lexically_normal());
  }
  // Where the build found it; what is shipped knows that place only from itself, so that it has no path of the machine it was made on.
  std::filesystem::path built = BASALT_DUCKDB_LIBRARY;
  if (built.is_absolute()) found.push_back(built);
  else if (!error) found.push_back((program / built).lexically_normal());
  return found;
}

Library load() {
  std::string tried, reason;
  for (auto& place : places()) {
    tried += (tried.empty() ? "" : ", ") + place;
    if (!std::filesystem::exists(place)) continue;
    // Local: its symbols must not mix with ours. It stays loaded: unloading a library with threads is no safe thing.
    void* handle = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) { reason = ::dlerror(); continue; }
    Library library;
#define BASALT_DUCKDB_RESOLVE(name)                                                         \
  library.name = reinterpret_cast<decltype(library.name)>(::dlsym(handle, "duckdb_" #name)); \
  if (!library.name) reason = place + " lacks duckdb_" #name;
    BASALT_DUCKDB_FUNCTIONS(BASALT_DUCKDB_RESOLVE)
#undef BASALT_DUCKDB_RESOLVE
    if (!reason.empty()) continue;
    log::info("loaded DuckDB", {{"version", library.library_version()}, {"file", place}});
    return library;
  }
  throw Failure(FailureKind::Unavailable, "The DuckDB library is missing: libduckdb.so was looked for at " + tried +
                                              ". Put it there, or name it in BASALT_DUCKDB_LIBRARY.").with_details(reason);
}

}  // namespace

const Library& library() {
  static std::mutex mutex;
  static std::unique_ptr<const Library> loaded;  // GUARDED_BY(mutex); a failure is tried again next time
  std::lock_guard lock(mutex);
  if (!loaded) loaded = std::make_unique<const Library>(load());
  return *loaded;
}

}  // namespace basalt::drivers::duckdb
