// What people uploaded, in and out of a backup. Links and other things that are no plain files are left where they are.
#include <openssl/evp.h>

#include <algorithm>
#include <map>

#include "appdb/bulk.h"
#include "base/crypto.h"
#include "base/failure.h"
#include "upgrade/backup_parts.h"
#include "upgrade/raw_file.h"

namespace basalt::upgrade {
namespace {

constexpr std::size_t part_size = 1 << 20;
const std::vector<appdb::RawColumn> columns{{"path", appdb::RawType::Text}, {"part", appdb::RawType::Integer}, {"bytes", appdb::RawType::Blob}};

class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string result() {
    std::string out(32, '\0');
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &length);
    return hex(out);
  }

 private:
  struct Free { void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); } };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

std::string line(const std::string& path, std::int64_t bytes, const std::string& hash) { return path + '\0' + std::to_string(bytes) + '\0' + hash + "\n"; }

// "2026/report.csv" and nothing that leads elsewhere.
bool is_inside(const std::filesystem::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(), [](const std::filesystem::path& part) { return part == ".." || part == "." || part.empty(); });
}

}  // namespace

std::filesystem::path uploads_of(const std::filesystem::path& data_dir) { return data_dir / "uploads"; }

Manifest::Files pack_files(const std::filesystem::path& data_dir, appdb::SqliteConnection& backup) {
  Manifest::Files out;
  backup.execute_script("CREATE TABLE basalt_files (path TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL)");
  auto root = uploads_of(data_dir);
  std::error_code error;
  std::vector<std::string> paths;
  for (auto& entry : std::filesystem::recursive_directory_iterator(root, std::filesystem::directory_options::none, error))
    if (entry.is_regular_file(error) && !entry.is_symlink(error)) paths.push_back(std::filesystem::relative(entry.path(), root, error).string());
  std::sort(paths.begin(), paths.end());
  auto writer = appdb::row_writer(backup, "basalt_files", columns);
  Hash all;
  std::string part(part_size, '\0');
  using Kind = appdb::RawValue::Kind;
  for (auto& path : paths) {
    Hash one;
    std::int64_t bytes = 0, number = 0;
    try {
      RawFile in(root / path, O_RDONLY);
      for (;;) {
        std::size_t have = 0;
        while (have < part_size) {
          auto got = in.read(part.data() + have, part_size - have);
          if (got == 0) break;
          have += got;
        }
        if (have == 0 && number > 0) break;
        std::string_view content(part.data(), have);
        one.add(content);
        bytes += static_cast<std::int64_t>(have);
        writer->add(std::vector<appdb::RawValue>{{Kind::Text, 0, 0, path}, {Kind::Integer, number++, 0, {}}, {Kind::Blob, 0, 0, content}});
        if (have < part_size) break;
      }
    } catch (const Failure& failure) {
      if (failure.kind() == FailureKind::NotFound && number == 0) continue;  // deleted since it was listed
      throw;
    }
    ++out.count;
    out.bytes += bytes;
    all.add(line(path, bytes, one.result()));
  }
  writer->finish();
  out.hash = all.result();
  return out;
}

void unpack_files(appdb::SqliteConnection& backup, const Manifest::Files& expected, const std::filesystem::path& folder) {
  Failure wrong(FailureKind::BadRequest, "The backup is damaged: its uploaded files are not those that were backed up.");
  Manifest::Files found;
  Hash all;
  std::optional<Hash> one;
  std::unique_ptr<RawFile> out;
  std::string current;
  std::int64_t bytes = 0, next = 0;
  auto close = [&] {
    if (!one) return;
    ++found.count;
    found.bytes += bytes;
    all.add(line(current, bytes, one->result()));
    one.reset();
    out.reset();
  };
  if (!backup.query_one("SELECT 1 AS there FROM sqlite_master WHERE type = 'table' AND name = 'basalt_files'")) {
    if (expected.count > 0) throw wrong;
    return;
  }
  appdb::each_raw(backup, "basalt_files", columns, [&](appdb::RawRow row) {
    using Kind = appdb::RawValue::Kind;
    if (row[0].kind != Kind::Text || row[1].kind != Kind::Integer || row[2].kind != Kind::Blob) throw wrong;
    if (row[1].integer == 0) {
      close();
      current = row[0].bytes;
      bytes = next = 0;
      one.emplace();
      if (!is_inside(current) || current.find('\0') != std::string::npos) throw Failure(FailureKind::BadRequest, "The backup is damaged: one of its uploaded files has a name that leads elsewhere.");
      if (!folder.empty()) {
        std::error_code error;
        std::filesystem::create_directories((folder / current).parent_path(), error);
        out = std::make_unique<RawFile>(folder / current, O_WRONLY | O_CREAT | O_EXCL);
      }
    }
    if (!one || row[0].bytes != current || row[1].integer != next++) throw wrong;
    one->add(row[2].bytes);
    bytes += static_cast<std::int64_t>(row[2].bytes.size());
    if (out) out->write(row[2].bytes.data(), row[2].bytes.size());
  });
  close();
  found.hash = all.result();
  if (found != expected) throw wrong;
}

}  // namespace basalt::upgrade
