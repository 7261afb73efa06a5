#include "takeover/metabase.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace basalt::takeover {
namespace {

std::optional<int> number_at(std::string_view& text) {
  int out = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (read.ec != std::errc() || out < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return out;
}

// "v56.2025-06-05T16:48:48", "v42.00-001": 56, 42; absent for the plain numbers that older releases used.
std::optional<int> release_of_id(std::string_view id) {
  if (!id.starts_with('v')) return std::nullopt;
  // These two came out with 0.55 under the next release's number.
  if (id == "v56.2025-06-05T16:48:48" || id == "v56.2025-05-19T16:48:48") return 55;
  id.remove_prefix(1);
  auto release = number_at(id);
  return release && id.starts_with('.') ? release : std::nullopt;
}

bool is_plain_number(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isdigit(c); });
}

// "Added 0.38.0 - …": 38. Older releases wrote so what each change came with.
std::optional<int> release_of_comment(std::string_view comment) {
  constexpr std::string_view word = "dded 0.";
  auto at = comment.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  comment.remove_prefix(at + word.size());
  auto release = number_at(comment);
  return release && *release <= 41 ? release : std::nullopt;
}

// "v0.50.3 (abc1234)", "v1.50.3", "x.65.2": {50, 3}.
std::optional<std::array<int, 2>> numbers_of(std::string_view text) {
  if (text.starts_with("x.")) {
    text.remove_prefix(2);
  } else {
    if (text.starts_with('v')) text.remove_prefix(1);
    if (!number_at(text) || !text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
  }
  auto release = number_at(text);
  if (!release) return std::nullopt;
  int patch = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    patch = number_at(text).value_or(0);
  }
  return std::array<int, 2>{*release, patch};
}

std::string line_of(int release) { return "0." + std::to_string(release); }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return out;
}

// By plain numbers and what they say of themselves: 0.41 and older.
void tell_old(const Evidence& evidence, Judgement& out) {
  int release = 0;
  for (auto& change : evidence.changes) release = std::max(release, release_of_comment(change.comment).value_or(0));
  // The tables themselves are the better witness: comments were not always kept up.
  if (evidence.models) release = std::max(release, oldest_direct);
  else release = std::min(release, oldest_direct - 1);
  if (!evidence.semantic_types) release = std::min(release, 38);
  else release = std::max(release, 39);
  out.release = release;
  out.version = release > 0 ? line_of(release) : "0.38 or older";
}

}  // namespace

const char* word_of(Way way) {
  switch (way) {
    case Way::Direct: return "direct";
    case Way::ThroughReleases: return "through-releases";
    case Way::TooNew: return "too-new";
    case Way::NotNow: return "not-now";
    case Way::Unknown: break;
  }
  return "unknown";
}

Judgement judge(const Evidence& evidence) {
  Judgement out;
  int by_id = 0;
  bool first_of_44 = false, numbered = false, failed = false;
  for (auto& change : evidence.changes) {
    failed = failed || (!change.state.empty() && change.state != "EXECUTED" && change.state != "RERAN" && change.state != "MARK_RAN");
    if (change.id == "v00.00-000") first_of_44 = true;
    else if (auto release = release_of_id(change.id)) by_id = std::max(by_id, *release);
    else numbered = numbered || is_plain_number(change.id);
  }
  auto row = numbers_of(evidence.version_row);
  if (row && (*row)[0] >= 9999) {
    out.sentence = "It was last changed by a development build of Metabase, whose tables nobody can be sure of; start a released version on it first.";
    return out;
  }
  auto saved_by = numbers_of(evidence.saved_by);
  if (row) {
    out.release = (*row)[0];
    out.version = line_of(out.release) + ((*row)[1] > 0 ? "." + std::to_string((*row)[1]) : "");
  } else if (by_id > 0) {
    out.release = by_id;
    // The change log does not know patch releases; what saved a question last often does.
    out.version = line_of(by_id) + (saved_by && (*saved_by)[0] == by_id && (*saved_by)[1] > 0 ? "." + std::to_string((*saved_by)[1]) : "");
  } else if (first_of_44) {
    out.release = 44;
    out.version = line_of(44);
  } else if (numbered) {
    tell_old(evidence, out);
  } else {
    out.sentence = "Its change log is empty or of a kind that is not known here, so that its version cannot be told. Start that Metabase once and look again.";
    return out;
  }

  auto it_is = "It is a Metabase " + out.version + ".";
  if (evidence.locked || failed) {
    out.way = Way::NotNow;
    out.sentence = it_is + (failed ? " One of its own migrations has failed" : " A migration of its own is under way, or was cut off" + (evidence.locked_by.empty() ? "" : " (" + evidence.locked_by + ")")) +
                   ": start that Metabase until it serves, stop it, and look again.";
  } else if (out.release > newest_known || evidence.envelope_keys) {
    out.way = Way::TooNew;
    out.sentence = it_is + " That is newer than " + line_of(newest_known) + ", the newest whose tables this version of Basalt knows; a later Basalt will. Nothing is lost by waiting.";
  } else if (out.release < oldest_direct) {
    out.way = Way::ThroughReleases;
    // An unknown one begins with whatever comes next.
    for (int release = out.release > 0 ? out.release : oldest_direct; release <= oldest_direct; ++release) out.through.push_back(line_of(release) + ".x");
    out.sentence = it_is + " It is too old to be taken over from there. Upgrade it with Metabase itself first, release by release, " +
                   (out.release > 0 ? "each the last of its line: " + joined(out.through) : "each the last of its line, up to 0.40.x") + "; start each until it serves. From the last 0.40 on it can be taken over directly.";
  } else {
    out.way = Way::Direct;
    out.sentence = it_is + " It can be taken over from there directly, without another release in between.";
  }
  if (saved_by && (*saved_by)[0] > out.release) out.notes.push_back("A question in it was saved by " + evidence.saved_by + ", so it was stepped down once.");
  if (evidence.encrypted == true) out.notes.push_back("Its connection details are encrypted: its MB_ENCRYPTION_SECRET_KEY will be needed, as it is.");
  return out;
}

std::optional<Judgement> judge_h2(const std::string& first_block) {
  if (!first_block.starts_with("H:2,")) return std::nullopt;
  Judgement out;
  auto at = first_block.find("format:");
  auto format = at == std::string::npos ? '?' : first_block[std::min(at + 7, first_block.size() - 1)];
  if (format == '1') out.version = "0.45 or older";
  else if (format == '2' || format == '3') out.version = "0.46 or newer";
  out.sentence = std::string("It is a Metabase") + (out.version.empty() ? "" : " " + out.version) +
                 " in an embedded H2 file, which only Java can read. Copy it into an empty PostgreSQL with the same version of Metabase (its command load-from-h2), name that PostgreSQL here, and look again: it then tells the version and the way.";
  return out;
}

}  // namespace basalt::takeover
