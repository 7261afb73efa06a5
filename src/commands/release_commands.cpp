// basalt release …: keys, signed lists of releases and bundles, for those who make releases (docs/releases.md).
#include <CLI/CLI.hpp>

#include <cmath>
#include <iostream>

#include "base/crypto.h"
#include "base/durable_file.h"
#include "base/failure.h"
#include "client/client.h"
#include "commands/command_line.h"
#include "commands/more_commands.h"
#include "release/make.h"
#include "release/simulation.h"
#include "release/trust.h"
#include "release/version.h"

namespace basalt::commands {
namespace {

using release::Feed;
using release::PrivateKey;

struct Asked {
  std::string folder, out, at, version, release_class = "minor", notes, entry, compat_from, why, platform = release::this_platform(), root;
  std::vector<std::string> names, keys, root_keys, list_keys, artefacts;
  std::int64_t days = 90, root_threshold = 1, list_threshold = 1, schema = 0, wave_hours = 0;
  bool barrier = false;
  std::size_t instances = 10'000;
  std::uint64_t seed = 1;
  double bad = 100;
};

std::string read_text(const std::string& path, std::int64_t most = 1 << 20) {
  auto text = client::is_network(path) ? std::nullopt : client::fetch_text(path, {.most_bytes = most});
  if (!text) throw Failure(FailureKind::BadRequest, "The file " + path + " cannot be read.");
  return *text;
}

Timestamp at_of(const Asked& asked) {
  if (asked.at.empty()) return system_clock().now();
  auto at = parse_timestamp(asked.at);
  if (!at) throw Failure(FailureKind::BadRequest, "The option --at must be a time like 2027-01-31T12:00:00Z; it is \"" + asked.at + "\".");
  return *at;
}

Timestamp expires_of(const Asked& asked) { return at_of(asked) + std::chrono::days(asked.days); }

std::string public_key(const std::string& path) {
  auto text = read_text(path);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  auto key = from_base64(text);
  if (!key || key->size() != release::public_key_bytes) throw Failure(FailureKind::BadRequest, "The file " + path + " holds no public key as `basalt release keys` writes it.");
  return *key;
}

Feed::Keys keys_of(const std::vector<std::string>& files, std::int64_t threshold) {
  Feed::Keys out;
  for (auto& file : files) out.public_keys.push_back(public_key(file));
  out.threshold = threshold;
  return out;
}

void sign(Feed& feed, const Asked& asked) {
  for (auto& file : asked.keys)
    for (auto& sentence : feed.sign(PrivateKey::read(file))) std::cout << sentence << "\n";
}

void drafted(Feed& feed, const Asked& asked) {
  if (asked.keys.empty()) std::cout << "Drafted; `basalt release sign --folder " << asked.folder << " --key FILE` signs it.\n";
  sign(feed, asked);
}

int make_keys(const Asked& asked) {
  std::filesystem::path folder = asked.out.empty() ? "." : asked.out;
  std::filesystem::create_directories(folder);
  for (auto& name : asked.names) {
    auto key = PrivateKey::generate();
    key.write(folder / (name + ".pem"));
    write_durably(folder / (name + ".pub"), base64(key.public_key()) + "\n", 0644);
    std::cout << key.id() << "  " << (folder / (name + ".pem")).string() << "\n";
  }
  return done;
}

int draft_root(const Asked& asked) {
  Feed feed(asked.folder);
  feed.draft_root(keys_of(asked.root_keys, asked.root_threshold), keys_of(asked.list_keys, asked.list_threshold), expires_of(asked));
  drafted(feed, asked);
  return done;
}

int add(const Asked& asked) {
  Feed feed(asked.folder);
  Feed::NewRelease made;
  auto& entry = made.entry;
  std::vector<std::pair<std::string, std::string>> stated;  // file, SHA-256
  if (!asked.entry.empty()) {
    auto tree = json::parse(read_text(asked.entry));
    if (!tree.is_object()) throw Failure(FailureKind::BadRequest, "The file " + asked.entry + " must be a JSON object.");
    entry = tree.get_object();
    if (auto* artefacts = json::sub_array(tree, "artefacts"))
      for (auto& one : *artefacts) {
        auto file = std::filesystem::path(asked.entry).parent_path() / json::text(one, "file").value_or("");
        if (release::measured(file).sha256 != json::text(one, "sha256")) throw Failure(FailureKind::BadRequest, "The file " + file.string() + " is not the one that " + asked.entry + " describes.");
        made.artefacts.emplace_back(json::text(one, "platform").value_or(""), file);
      }
    entry.erase("artefacts");
  }
  if (!asked.version.empty()) entry["version"] = asked.version;
  if (!entry.contains("released_at")) entry["released_at"] = to_text(at_of(asked)).substr(0, 19) + "Z";
  if (!entry.contains("class") || asked.release_class != "minor") entry["class"] = asked.release_class;
  if (asked.schema > 0) entry["schema"] = asked.schema;
  if (!asked.notes.empty()) entry["notes"] = read_text(asked.notes);
  if (asked.barrier) entry["barrier"] = true;
  if (!asked.compat_from.empty()) entry["compat_from"] = asked.compat_from;
  if (asked.wave_hours > 0) entry["waves"] = json::object{{"hours", asked.wave_hours}};
  for (auto& one : asked.artefacts) {
    auto equals = one.find('=');
    if (equals == std::string::npos) throw Failure(FailureKind::BadRequest, "An artefact is named as linux-x64=FILE; this is \"" + one + "\".");
    made.artefacts.emplace_back(one.substr(0, equals), one.substr(equals + 1));
  }
  feed.add(made, at_of(asked), expires_of(asked));
  drafted(feed, asked);
  return done;
}

int withdraw(const Asked& asked) {
  Feed feed(asked.folder);
  feed.withdraw(asked.version, asked.why, at_of(asked), expires_of(asked));
  drafted(feed, asked);
  return done;
}

int renew(const Asked& asked) {
  Feed feed(asked.folder);
  feed.renew(at_of(asked), expires_of(asked));
  drafted(feed, asked);
  return done;
}

int sign_drafts(const Asked& asked) {
  Feed feed(asked.folder);
  sign(feed, asked);
  return done;
}

int check(const Asked& asked) {
  auto anchor = asked.root.empty() ? std::nullopt : std::optional(read_text(asked.root, release::most_document_bytes));
  for (auto& sentence : Feed(asked.folder).check(at_of(asked), anchor)) std::cout << sentence << "\n";
  return done;
}

int bundle(const Asked& asked) {
  Feed(asked.folder).bundle(asked.version, asked.platform, asked.out);
  std::cout << asked.out << "\n";
  return done;
}

int simulate(const Asked& asked) {
  if (asked.bad <= 0 || asked.bad > 100) throw Failure(FailureKind::BadRequest, "The option --bad is a percentage, more than 0 and at most 100.");
  json::array out;
  for (auto c : {release::Class::Security, release::Class::Minor, release::Class::Major}) {
    for (bool fleet : {false, true}) {
      for (bool stops : {false, true}) {
        release::Played played;
        played.instances = asked.instances;
        played.bad = asked.bad / 100;
        played.seed = asked.seed;
        played.release_class = c;
        played.stops = stops;
        auto reached = fleet ? release::simulate_fleet(played) : release::simulate_feed(played);
        out.push_back(json::object{{"class", release::name_of(c)}, {"by", fleet ? "fleet" : "feed"}, {"stops", stops}, {"instances", asked.instances}, {"bad", asked.bad}, {"reached", reached.reached}, {"rolled_back", reached.rolled_back},
                                   {"hours", std::round(reached.hours * 10) / 10}});
      }
    }
  }
  std::cout << json::write_pretty(out) << "\n";
  return done;
}

}  // namespace

void add_release_commands(CLI::App& app, std::function<int()>& chosen) {
  auto asked = std::make_shared<Asked>();
  auto* group = app.add_subcommand("release", "Make keys, signed lists of releases and bundles (for those who make releases).");
  group->require_subcommand(1);
  group->group("");
  auto command = [&](const char* name, const char* description, int (*action)(const Asked&)) {
    auto* sub = group->add_subcommand(name, description);
    sub->callback([&chosen, asked, action] { chosen = [asked, action] { return action(*asked); }; });
    return sub;
  };
  auto folder = [&](CLI::App* sub) { sub->add_option("--folder", asked->folder, "The folder of static files that is served.")->required()->type_name("FOLDER"); };
  auto signing = [&](CLI::App* sub, bool needed) {
    auto* keys = sub->add_option("--key", asked->keys, "PEM file of a private key that signs; several times for several.")->type_name("FILE");
    if (needed) keys->required();
  };
  auto timed = [&](CLI::App* sub) {
    sub->add_option("--days", asked->days, "How long it is good; 90 when not given.")->type_name("N");
    sub->add_option("--at", asked->at, "The time to write instead of now.")->type_name("TIME");
  };
  auto* keys = command("keys", "Make Ed25519 keys: NAME.pem (private, 0600) and NAME.pub.", make_keys);
  keys->add_option("names", asked->names, "Names of the keys.")->required();
  keys->add_option("--out", asked->out, "Folder for them; this one when not given.")->type_name("FOLDER");
  auto* root = command("root", "Draft the first root, or the next one.", draft_root);
  folder(root);
  root->add_option("--root-key", asked->root_keys, "Public key that signs roots; several times for several.")->required()->type_name("FILE");
  root->add_option("--root-threshold", asked->root_threshold, "How many of them must.")->type_name("N");
  root->add_option("--list-key", asked->list_keys, "Public key that signs lists; several times for several.")->required()->type_name("FILE");
  root->add_option("--list-threshold", asked->list_threshold, "How many of them must.")->type_name("N");
  signing(root, false);
  timed(root);
  auto* added = command("add", "Draft a list with one more release.", add);
  folder(added);
  added->add_option("--entry", asked->entry, "JSON file that describes it, as tools/package leaves it; artefacts lie beside it.")->type_name("FILE");
  added->add_option("--version", asked->version)->type_name("V");
  added->add_option("--class", asked->release_class, "security, minor or major.")->type_name("CLASS");
  added->add_option("--schema", asked->schema, "The schema it brings.")->type_name("N");
  added->add_option("--notes", asked->notes, "Markdown file.")->type_name("FILE");
  added->add_option("--artefact", asked->artefacts, "PLATFORM=FILE; several times for several.");
  added->add_flag("--barrier", asked->barrier, "Everybody who is older goes here first.");
  added->add_option("--compat-from", asked->compat_from, "The oldest version that may go here directly.")->type_name("V");
  added->add_option("--wave-hours", asked->wave_hours, "Hours within which it reaches everybody, instead of what its class says.")->type_name("N");
  signing(added, false);
  timed(added);
  auto* withdrawn = command("withdraw", "Draft a list in which a release is withdrawn.", withdraw);
  folder(withdrawn);
  withdrawn->add_option("--version", asked->version)->required()->type_name("V");
  withdrawn->add_option("--why", asked->why, "A sentence for everybody who runs it.")->required()->type_name("SENTENCE");
  signing(withdrawn, false);
  timed(withdrawn);
  auto* renewed = command("renew", "Draft the same list, good for longer.", renew);
  folder(renewed);
  signing(renewed, false);
  timed(renewed);
  auto* signed_ = command("sign", "Sign the drafts that a key has a part in; what enough keys have signed is published.", sign_drafts);
  folder(signed_);
  signing(signed_, true);
  auto* checked = command("check", "Check all of it as an installation does.", check);
  folder(checked);
  checked->add_option("--root", asked->root, "The first root to trust; 1.root.json of the folder when not given.")->type_name("FILE");
  checked->add_option("--at", asked->at, "Check as at this time.")->type_name("TIME");
  auto* bundled = command("bundle", "Write one file for hosts without a network.", bundle);
  folder(bundled);
  bundled->add_option("--version", asked->version)->required()->type_name("V");
  bundled->add_option("--platform", asked->platform, "linux-x64 or linux-arm64; this one when not given.")->type_name("PLATFORM");
  bundled->add_option("--out", asked->out, "The file.")->required()->type_name("FILE");
  auto* simulated = command("simulate", "How many installations a bad release would reach before it is stopped; prints JSON.", simulate);
  simulated->add_option("--instances", asked->instances, "How many there are; 10000 when not given.")->type_name("N")->check(CLI::Range(1, 1'000'000));
  simulated->add_option("--bad", asked->bad, "On how many of a hundred it fails; 100 when not given.")->type_name("PERCENT");
  simulated->add_option("--seed", asked->seed, "The same numbers for the same seed.")->type_name("N");
}

}  // namespace basalt::commands
