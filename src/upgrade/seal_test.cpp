#include "upgrade/seal.h"

#include <gtest/gtest.h>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/random.h"
#include "upgrade/test_home.h"

namespace basalt::upgrade {
namespace {

class Seal : public testing::Test {
 protected:
  Seal() : folder(std::filesystem::temp_directory_path() / ("basalt-seal-" + random_hex(8))) { std::filesystem::create_directories(folder); }
  ~Seal() override { std::filesystem::remove_all(folder); }

  std::filesystem::path write(const std::string& name, const std::string& content) {
    auto path = folder / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    return path;
  }
  std::string packed(const std::string& content, const std::string& passphrase = {}) {
    pack(write("plain", content), folder / "packed", {{"format", 1}}, passphrase, cost);
    return bytes_of_file(folder / "packed");
  }
  // What comes out, or the sentence of the refusal behind a "!".
  std::string unpacked(const std::string& file, const std::string& passphrase = {}) {
    try {
      unpack(write("file", file), folder / "out", passphrase);
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.kind(), FailureKind::BadRequest) << failure.sentence();
      return "!" + failure.sentence();
    }
    return bytes_of_file(folder / "out");
  }
  // The digest at the end made to fit again: what a person who changes a file on purpose would do.
  static std::string with_digest(std::string file) {
    file.resize(file.size() - 32);
    return file + sha256(std::string_view(file).substr(0, file.size() - 8));
  }
  static std::string random_text(std::size_t size) { return random_bytes(size); }

  std::filesystem::path folder;
  PassphraseCost cost{64, 1};  // of a thousandth of the work: what is tested is what becomes of the file
};

TEST_F(Seal, of_people_takes_as_much_work_as_it_should) {
  cost = {};
  auto file = packed("content", "right");
  EXPECT_NE(file.find(R"("memory_kib":65536,"passes":3)"), std::string::npos) << file.substr(0, 300);
  EXPECT_EQ(unpacked(file, "right"), "content");
}

TEST_F(Seal, gives_back_what_it_got_with_and_without_a_passphrase) {
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, std::size_t{256 << 10}, std::size_t{700'001}}) {
    auto content = random_text(size);
    EXPECT_EQ(unpacked(packed(content)), content) << size;
    EXPECT_EQ(unpacked(packed(content, "secret words"), "secret words"), content) << size;
  }
}

TEST_F(Seal, says_which_passphrase_is_missing_or_wrong) {
  auto file = packed("content of the backup", "right");
  EXPECT_EQ(file.find("content"), std::string::npos);
  EXPECT_NE(unpacked(file, "wrong").find("The passphrase is not the one"), std::string::npos);
  EXPECT_NE(unpacked(file).find("is encrypted; give its passphrase"), std::string::npos);
}

TEST_F(Seal, notices_every_changed_byte_and_every_cut) {
  auto file = packed("a short text that is a backup for now", "");
  for (std::size_t at = 0; at < file.size(); ++at) {
    auto changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 0x21);
    EXPECT_EQ(unpacked(changed)[0], '!') << "byte " << at;
    EXPECT_EQ(unpacked(file.substr(0, at))[0], '!') << "cut at " << at;
  }
  EXPECT_EQ(unpacked(file + "x")[0], '!');
}

TEST_F(Seal, notices_changes_on_purpose_in_an_encrypted_file) {
  auto content = random_text(600'000);
  auto file = packed(content, "right");
  std::uint32_t head = 0;
  std::memcpy(&head, file.data() + 4, 4);
  std::size_t payload = 8 + head;
  for (std::size_t at : {payload - 2, payload, payload + 5, payload + 9, payload + 8 + 1000, file.size() - 60}) {
    auto changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_EQ(unpacked(with_digest(changed), "right")[0], '!') << "byte " << at;
  }
  // Pieces of 256 KiB and their tags: one left out at the end, two that changed places, one twice.
  std::size_t piece = 8 + (256 << 10) + 16;
  auto end = file.substr(file.size() - 40);
  ASSERT_GT(file.size(), payload + 2 * piece + 40);
  auto first = file.substr(payload, piece), second = file.substr(payload + piece, piece), rest = file.substr(payload + 2 * piece, file.size() - 40 - payload - 2 * piece), before = file.substr(0, payload);
  EXPECT_EQ(unpacked(with_digest(before + first + second + rest + end), "right"), content);
  EXPECT_NE(unpacked(with_digest(before + first + second + end), "right").find("its end is missing"), std::string::npos);
  EXPECT_EQ(unpacked(with_digest(before + second + first + rest + end), "right")[0], '!');
  EXPECT_EQ(unpacked(with_digest(before + first + first + rest + end), "right")[0], '!');
  EXPECT_EQ(unpacked(with_digest(before + first + second + rest + rest + end), "right")[0], '!');
}

TEST_F(Seal, refuses_to_fill_the_disk_or_the_memory_for_a_file_that_lies) {
  auto file = packed("text");
  // A head of 4 GB, and a derivation that asks for all memory.
  auto huge = file;
  huge.replace(4, 4, "\xff\xff\xff\x7f");
  EXPECT_EQ(unpacked(with_digest(huge))[0], '!');
  std::string head = R"({"format":1,"encryption":{"cipher":"aes-256-gcm","derivation":"argon2id","memory_kib":4000000,"passes":3,"lanes":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","check":""}})";
  std::uint32_t words[2] = {0x184D2A50, static_cast<std::uint32_t>(head.size())};
  std::string lying(reinterpret_cast<char*>(words), 8);
  EXPECT_EQ(unpacked(with_digest(lying + head + file.substr(file.size() - 40)), "x")[0], '!');
}

// Whoever reads the format anew can check against this file: passphrase and content as below. Made once, never again.
TEST_F(Seal, opens_the_file_that_every_version_must_open) {
  auto path = std::filesystem::path(BASALT_SOURCE_DIR) / "tests/cases/backup/sealed.basalt-backup";
  ASSERT_TRUE(std::filesystem::exists(path));
  unpack(path, folder / "out", "correct horse battery staple");
  EXPECT_EQ(bytes_of_file(folder / "out"), "What people made must come back.\n");
}

}  // namespace
}  // namespace basalt::upgrade
