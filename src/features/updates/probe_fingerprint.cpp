#include <algorithm>
#include <vector>

#include "base/crypto.h"
#include "features/updates/probe_api.h"

namespace basalt::features {

std::string result_fingerprint(const json::value& answer) {
  auto* data = json::find(answer, "data");
  if (!data) return "";
  Sha256 sum;
  if (auto* columns = json::sub_array(*data, "cols"))
    for (auto& column : *columns) sum.add(json::text(column, "name").value_or("") + "\n" + json::text(column, "base_type").value_or("") + "\n");
  std::vector<std::string> rows;
  if (auto* all = json::sub_array(*data, "rows"))
    for (auto& row : *all) rows.push_back(sha256(json::write(row)));
  std::sort(rows.begin(), rows.end());
  for (auto& row : rows) sum.add(row);
  return hex(sum.finish()).substr(0, 32);
}

}  // namespace basalt::features
