// Any bytes given as a backup are refused in a sentence or verified: never a crash, and nothing is written elsewhere.
// The first byte chooses what the rest is: 0 a whole file (its digest is made to fit), 1 a manifest, 2 the database inside.
#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "migrations/all.h"
#include "upgrade/backup_parts.h"
#include "upgrade/seal.h"

namespace {

using namespace basalt;
using namespace basalt::upgrade;

struct Place {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("basalt-fuzz-" + random_hex(8));
  std::unique_ptr<appdb::Store> store;
  std::vector<migrations::Migration> known = migrations::all();
  Place() {
    log::set_up(log::Level::Error, log::Format::Text);
    std::filesystem::create_directories(folder);
    appdb::StoreOptions options;
    options.sqlite_path = folder / "basalt.db";
    store = appdb::Store::open(options);
  }
  ~Place() { std::filesystem::remove_all(folder); }
  Context context() { return {.store = *store, .migrations = known, .data_dir = folder, .key_check = {}, .hook = {}}; }
};

void write(const std::filesystem::path& path, std::string_view bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc).write(bytes.data(), static_cast<std::streamsize>(bytes.size())); }

// The hash over the tables made to fit, so that what comes after that check is reached.
std::optional<Manifest> manifest_of(std::string_view text) {
  auto v = json::try_parse(text);
  if (!v || !v->is_object()) return std::nullopt;
  try {
    auto m = manifest_from_json(*v);
    m.root_hash = root_hash(m);
    return m;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Place place;
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto file = place.folder / "input.basalt-backup", opened = place.folder / "input.sqlite";
  try {
    if (data[0] % 3 == 0) {
      std::uint32_t words[2] = {0x184D2A50, 32};
      std::string whole(rest);
      auto digest = sha256(whole);
      write(file, whole + std::string(reinterpret_cast<char*>(words), sizeof words) + digest);
    } else {
      std::filesystem::remove(opened);
      std::optional<Manifest> m;
      if (data[0] % 3 == 1) {
        m = manifest_of(rest);
        auto c = open_scratch(opened);
        c->execute_script("CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL); CREATE TABLE card (id INTEGER, row_uid TEXT, name TEXT); INSERT INTO card VALUES (1, 'a', 'x')");
        c->execute("INSERT INTO manifest VALUES ('manifest', ?)", {m ? json::write(to_json(*m)) : std::string(rest.substr(0, rest.find('\0')))});
      } else {
        write(opened, rest);
        try {
          auto row = open_scratch(opened)->query_one("SELECT value FROM manifest WHERE key = 'manifest'");
          if (row) m = manifest_of(row->text("value"));
        } catch (const Failure&) {
          // The reader will say so again.
        }
      }
      pack(opened, file, m ? outside_json(*m, false) : json::object{{"format", 1}, {"structure", json::object{{"tables", json::array{}}}}, {"tables", json::array{}}});
    }
    auto context = place.context();
    verify_backup(context, file);
  } catch (const Failure& failure) {
    // Our own mistake is never the answer to somebody's file.
    if (failure.kind() == FailureKind::Bug) std::abort();
  }
  return 0;
}
