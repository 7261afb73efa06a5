#include "features/updates/release_feed.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "client/test_server.h"
#include "release/test_feed.h"

namespace basalt::features {
namespace {

const std::string document = R"({"releases":[
  {"version":"0.2.0","released_at":"2026-11-20","class":"minor","schema":4,"notes":"# More"},
  {"version":"0.10.0","released_at":"2026-12-20","class":"security","schema":5,"notes":"x"},
  {"version":"9.0.0","released_at":"2027-01-01","class":"major","withdrawn":true},
  {"version":"0.1.0","withdrawn":true}, {"version":"nonsense"}, 7]})";

using client::TestServer;

// Answers with the given texts, one after the other, the last one again and again.
TestServer::Answers in_turn(std::vector<std::string> texts) {
  return [texts = std::move(texts), next = std::make_shared<std::size_t>(0)](const std::string&) { return texts[std::min((*next)++, texts.size() - 1)]; };
}

std::string ok(const std::string& body) { return TestServer::ok(body); }

ReleaseFeed::Options from(std::string source) { return {.source = std::move(source), .current = "0.1.0"}; }

TEST(ReleaseFeed, finds_the_newest_that_was_not_withdrawn_in_a_file) {
  auto path = testing::TempDir() + "basalt-feed-" + random_hex(6) + ".json";
  std::ofstream(path) << document;
  for (auto& source : {path, "file://" + path}) {
    ReleaseFeed feed(from(source));
    EXPECT_EQ(json::text(feed.latest(), "feed"), "not asked yet");
    feed.refresh();
    auto latest = feed.latest();
    EXPECT_EQ(json::text(latest, "feed"), "ok");
    EXPECT_EQ(json::text(latest.at("available"), "version"), "0.10.0");
    EXPECT_EQ(json::text(latest.at("available"), "class"), "security");
    EXPECT_TRUE(json::boolean(latest, "withdrawn").value()) << "the one that runs was";
  }
  auto options = from(path);
  options.current = "0.10.0";
  ReleaseFeed newest(options);
  newest.refresh();
  EXPECT_TRUE(newest.latest().at("available").is_null());
  std::filesystem::remove(path);
}

TEST(ReleaseFeed, asks_an_address_follows_where_it_moved_and_sends_nothing_of_ours) {
  TestServer server(in_turn({TestServer::moved("/moved.json"), ok(document)}));
  ReleaseFeed feed(from(server.address("/feed.json")));
  feed.refresh();
  auto latest = feed.latest();
  EXPECT_EQ(json::text(latest, "feed"), "ok") << json::write(latest);
  EXPECT_EQ(json::text(latest.at("available"), "version"), "0.10.0");
  EXPECT_FALSE(json::boolean(latest, "signed").value());
  auto asked = server.asked();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_TRUE(asked[1].starts_with("GET /moved.json HTTP/1.1")) << asked[1];
  EXPECT_EQ(asked[0].find("0.1.0"), std::string::npos);
}

TEST(ReleaseFeed, says_what_is_wrong_and_keeps_what_it_knew) {
  TestServer server(in_turn({ok(document), TestServer::status(500), ok("<html>"), ok(std::string(5 << 20, 'x')), TestServer::moved("ftp://elsewhere/"), TestServer::status(404)}));
  ReleaseFeed feed(from(server.address()));
  feed.refresh();
  for (auto* part : {"answered 500", "no list of releases", "longer than", "redirection", "There is no list"}) {
    feed.refresh();
    auto latest = feed.latest();
    EXPECT_NE(json::text(latest, "feed").value().find(part), std::string::npos) << json::write(latest);
    EXPECT_EQ(json::text(latest.at("available"), "version"), "0.10.0");
  }
}

TEST(ReleaseFeed, waits_for_nobody_for_ever) {
  TestServer server(in_turn({""}));
  auto options = from(server.address());
  options.patience = std::chrono::milliseconds(200);
  ReleaseFeed feed(options);
  feed.refresh();
  EXPECT_NE(json::text(feed.latest(), "feed").value().find("in time"), std::string::npos) << json::write(feed.latest());
}

TEST(ReleaseFeed, checks_a_signed_list_and_remembers_it_over_https) {
  release::TestFeed made;
  client::TestFolder folder;
  client::TestCertificates certificates;
  TestServer server([&](const std::string& request) {
    auto path = made.folder / TestServer::path(request).substr(1);
    return std::filesystem::exists(path) ? ok(made.read(path.filename().string())) : TestServer::status(404);
  }, &certificates);
  FixedClock clock(made.now);
  auto options = from(server.address("/"));
  options.ca_file = folder.write("ca.pem", certificates.authority);
  options.trust = made.trust;
  options.clock = &clock;
  made.publish("0.2.0", "x", {{"class", "security"}});
  ReleaseFeed rootless(options);
  rootless.refresh();
  EXPECT_NE(json::text(rootless.latest(), "feed").value().find("set the option release-root"), std::string::npos) << json::write(rootless.latest());
  options.root = made.anchor();
  auto of_others = options;
  release::TestFeed others;
  of_others.root = others.anchor();
  of_others.trust = others.trust;
  ReleaseFeed wrong(of_others);
  wrong.refresh();
  EXPECT_NE(json::text(wrong.latest(), "feed").value().find("another one with the same number 1"), std::string::npos) << json::write(wrong.latest());
  ReleaseFeed feed(options);
  feed.refresh();
  auto latest = feed.latest();
  EXPECT_EQ(json::text(latest, "feed"), "ok") << json::write(latest);
  EXPECT_TRUE(json::boolean(latest, "signed").value());
  EXPECT_EQ(json::text(latest.at("available"), "version"), "0.2.0");
  EXPECT_EQ(json::text(latest.at("available"), "class"), "security");
  EXPECT_EQ(json::text(latest.at("available"), "released_at"), "2026-11-20");
  auto old = made.read("releases.json");
  made.publish("0.1.0", "x", {{"withdrawn", true}, {"withdrawn_why", "It loses rows."}});
  feed.refresh();
  EXPECT_EQ(json::text(feed.latest(), "withdrawn_why"), "It loses rows.");
  auto newer = made.read("releases.json");
  made.write("releases.json", old);
  feed.refresh();
  EXPECT_NE(json::text(feed.latest(), "feed").value().find("an old copy is not taken"), std::string::npos);
  EXPECT_EQ(json::text(feed.latest(), "withdrawn_why"), "It loses rows.") << "what was known stays";
  clock.advance(std::chrono::hours(24 * 200));
  made.write("releases.json", newer);
  made.publish("0.3.0");  // signed to be good until February
  feed.refresh();
  EXPECT_NE(json::text(feed.latest(), "feed").value().find("has expired on 2027-02-20"), std::string::npos) << json::write(feed.latest());
  // An unsigned one in its place: news, but not taken for signed.
  made.write("releases.json", document);
  feed.refresh();
  EXPECT_EQ(json::text(feed.latest(), "feed"), "ok");
  EXPECT_FALSE(json::boolean(feed.latest(), "signed").value());
}

TEST(ReleaseFeed, reads_a_folder_as_well) {
  release::TestFeed made;
  made.publish("0.2.0");
  FixedClock clock(made.now);
  auto options = from(made.folder.string());
  options.root = made.anchor();
  options.trust = made.trust;
  options.clock = &clock;
  ReleaseFeed feed(options);
  feed.refresh();
  EXPECT_EQ(json::text(feed.latest().at("available"), "version"), "0.2.0") << json::write(feed.latest());
}

TEST(ReleaseFeed, is_off_without_a_source_and_asks_no_network_when_air_gapped) {
  EXPECT_EQ(json::text(ReleaseFeed(from("")).latest(), "feed"), "off");
  auto options = from("http://127.0.0.1:1/feed.json");
  options.air_gapped = true;
  ReleaseFeed feed(options);
  feed.refresh();
  EXPECT_EQ(json::text(feed.latest(), "feed"), "off");
  options.source = "/nowhere/feed.json";
  ReleaseFeed file(options);
  file.refresh();
  EXPECT_NE(json::text(file.latest(), "feed").value().find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace basalt::features
