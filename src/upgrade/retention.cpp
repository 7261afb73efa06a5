// The folder of backups: what is in it, what is known of each, and which go.
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "base/failure.h"
#include "base/log.h"
#include "upgrade/backup_parts.h"
#include "upgrade/seal.h"

namespace basalt::upgrade {

std::filesystem::path mark_of(const std::filesystem::path& file) { return file.string() + ".verified"; }

Mark read_mark(const std::filesystem::path& file) {
  std::ifstream in(mark_of(file), std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  auto v = json::try_parse(text.str());
  if (!v || !v->is_object()) return {};
  // It counts only for the very bytes that it was made for.
  if (auto digest = json::text(*v, "digest").value_or(""); digest.empty() || digest != digest_in(file)) return {};
  return {json::text(*v, "verified_at").value_or(""), json::text(*v, "drilled_at").value_or(""), json::text(*v, "drill").value_or("")};
}

void write_mark(const std::filesystem::path& file, const Mark& mark) {
  json::object out{{"digest", digest_in(file)}, {"verified_at", mark.verified_at}};
  if (!mark.drilled_at.empty()) {
    out["drilled_at"] = mark.drilled_at;
    out["drill"] = mark.drill;
  }
  write_durably(mark_of(file), json::write(out));
}

std::vector<BackupInfo> backups_to_delete(std::vector<BackupInfo> newest_first, std::size_t keep) {
  std::vector<BackupInfo> out;
  std::set<int> schemas;
  std::size_t place = 0;
  for (auto& b : newest_first) {
    // The newest verified one is the first of its schema that is verified.
    bool first_of_schema = !b.verified_at.empty() && schemas.insert(b.schema).second;
    if (place++ < keep || first_of_schema || b.kind == "manual") continue;
    out.push_back(b);
  }
  return out;
}

void apply_retention(const Context& context) {
  for (auto& old : backups_to_delete(backup_list(context), std::max<std::size_t>(1, context.backup_keep))) {
    std::error_code ignored;
    std::filesystem::remove(old.path, ignored);
    std::filesystem::remove(mark_of(old.path), ignored);
    log::info("backup deleted", {{"path", old.path}, {"reason", "newer ones are kept"}});
  }
}

std::vector<BackupInfo> backup_list(const Context& context) {
  std::vector<BackupInfo> out;
  std::error_code error;
  for (auto& entry : std::filesystem::directory_iterator(backup_folder(context), error)) {
    if (entry.path().extension() != ".basalt-backup") continue;
    try {
      auto info = info_of(entry.path(), read_manifest(entry.path()));
      auto mark = read_mark(entry.path());
      info.verified_at = mark.verified_at;
      info.drilled_at = mark.drilled_at;
      out.push_back(std::move(info));
    } catch (const Failure& failure) {
      if (failure.kind() == FailureKind::NotFound) continue;  // deleted since it was listed
      BackupInfo damaged;
      damaged.path = entry.path().string();
      damaged.kind = "manual";  // nothing deletes what nobody can read
      damaged.reason = failure.sentence();
      out.push_back(std::move(damaged));
    }
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.created_at > b.created_at; });
  return out;
}

}  // namespace basalt::upgrade
