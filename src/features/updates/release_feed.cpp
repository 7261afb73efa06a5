#include "features/updates/release_feed.h"

#include "base/failure.h"
#include "base/log.h"
#include "release/trust.h"
#include "release/version.h"

namespace basalt::features {
namespace {

// The newest that is newer than `current` and was not withdrawn, as the page shows it; null when there is none.
json::value newest(const std::vector<release::Release>& releases, const std::string& current) {
  for (auto at = releases.rbegin(); at != releases.rend(); ++at) {
    if (!release::is_newer(at->version, current)) return nullptr;
    if (at->withdrawn) continue;
    auto day = at->released_at == Timestamp{} ? std::string() : to_text(at->released_at).substr(0, 10);
    return json::object{{"version", at->version}, {"released_at", day}, {"class", release::name_of(at->release_class)}, {"schema", json::or_null(at->schema)}, {"notes", at->notes}};
  }
  return nullptr;
}

}  // namespace

ReleaseFeed::ReleaseFeed(Options options) : options_(std::move(options)), state_(is_off() ? "off" : "not asked yet") {}

bool ReleaseFeed::is_off() const { return options_.source.empty() || (options_.air_gapped && client::is_network(options_.source)); }

json::value ReleaseFeed::latest() const {
  std::lock_guard lock(mutex_);
  auto or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
  return json::object{{"current", options_.current}, {"available", available_}, {"withdrawn", withdrawn_.has_value()}, {"withdrawn_why", or_null(withdrawn_.value_or(""))},
                      {"signed", signed_}, {"feed", state_}, {"checked_at", or_null(checked_at_)}};
}

ReleaseFeed::Found ReleaseFeed::asked() const {
  std::error_code ignored;
  bool folder = client::is_network(options_.source) ? options_.source.ends_with('/') : std::filesystem::is_directory(options_.source, ignored);
  auto address = folder ? client::beside(options_.source, "releases.json") : options_.source;
  auto text = client::fetch_text(address, {.patience = options_.patience, .most_bytes = release::most_document_bytes, .ca_file = options_.ca_file});
  if (!text) throw Failure(FailureKind::Unavailable, client::is_network(address) ? "There is no list of releases at the address of the release feed." : "The file " + address + " cannot be read.");
  if (auto news = release::unsigned_news(*text)) return {std::move(*news), false};
  auto tree = json::try_parse(*text);
  if (!tree || !json::find(*tree, "signed")) throw Failure(FailureKind::BadRequest, "The release feed is no list of releases.");
  if (options_.root.empty()) throw Failure(FailureKind::BadRequest, "The list of releases is signed, but this program has no root to check it with; set the option release-root to the file root.json of its makers.");
  auto source = release::open_source(options_.source, {.ca_file = options_.ca_file, .patience = options_.patience});
  return {release::Trust(options_.trust, options_.root).refresh(*source, options_.clock->now()).releases, true};
}

void ReleaseFeed::refresh() {
  if (is_off()) return;
  std::lock_guard one(asking_);
  auto now = to_text(options_.clock->now());
  std::string why;
  try {
    auto found = asked();
    auto available = newest(found.releases, options_.current);
    std::optional<std::string> withdrawn;
    for (auto& each : found.releases) if (each.withdrawn && release::compare_versions(each.version, options_.current) == 0) withdrawn = each.withdrawn_why;
    std::lock_guard lock(mutex_);
    available_ = std::move(available);
    withdrawn_ = std::move(withdrawn);
    signed_ = found.is_signed;
    state_ = "ok";
    checked_at_ = now;
    return;
  } catch (const Failure& failure) {
    why = failure.sentence();
  } catch (const std::exception&) {
    why = "something went wrong on our side";
  }
  log::warning("the release feed could not be read", {{"reason", why}});
  std::lock_guard lock(mutex_);
  state_ = "failed: " + why;
  checked_at_ = now;
}

}  // namespace basalt::features
