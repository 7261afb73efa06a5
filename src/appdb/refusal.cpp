// The fence of nodes that serve: by itself in a file, so that the tests can link a build without it.
#include "appdb/store.h"
#include "base/version.h"

namespace basalt::appdb {

std::optional<Failure> Store::refusal() const {
  std::lock_guard lock(marks_mutex_);
  if (!target_) return std::nullopt;
  if (marks_.generation != generation_)
    return Failure(FailureKind::Unavailable, "The data was restored or moved while this Basalt was serving it; it starts anew, try again in a moment.").with_error_type("restored");
  if (marks_.compat_floor > *target_)
    return Failure(FailureKind::Unavailable, "This Basalt " + version() + " is too old for the data: it serves schema " + std::to_string(*target_) + " and the data now needs " + std::to_string(marks_.compat_floor) +
                                                 " or later; start the newer Basalt here, or stop all nodes and step the data down with `basalt migrate down --to " + std::to_string(*target_) + "`.")
        .with_error_type("fenced");
  if (marks_.schema < served_schema_)
    return Failure(FailureKind::Unavailable, "The data was stepped down to schema " + std::to_string(marks_.schema) + " while this Basalt " + version() + " was serving schema " + std::to_string(served_schema_) +
                                                 "; start the older Basalt here, or start this one again to upgrade the data.")
        .with_error_type("fenced");
  return std::nullopt;
}

}  // namespace basalt::appdb
