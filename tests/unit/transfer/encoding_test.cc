#include "transfer/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "transfer/parse.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<ParsedArticle> ReadFileOfBytes(absl::string_view file, Format format) {
  return Parse(file, format, {.title = "T"});
}

// Returns the text of a page, or what is wrong with it.
std::string TextOfPage(absl::string_view declaration, absl::string_view text) {
  const auto parsed = ReadFileOfBytes(
      absl::StrCat("<html><head>", declaration, "</head><body><p>", text, "</p>"), Format::kHtml);
  return parsed.ok() ? parsed->article.body() : std::string(parsed.status().message());
}

constexpr char kWord[] =
    "<meta http-equiv=Content-Type content=\"text/html; charset=windows-1252\">";

TEST(Encoding, IsTheOneThatAPageDeclares) {
  EXPECT_EQ(TextOfPage(kWord, "caf\xE9 \x96 \x93x\x94"), "café – “x”");
  EXPECT_EQ(TextOfPage("<meta charset=iso-8859-1>", "\x80"), "€");
  EXPECT_EQ(TextOfPage("<META CHARSET='Shift_JIS'>", "\x8A\xBF\x8E\x9A \x87\x40"), "漢字 ①");
  EXPECT_EQ(TextOfPage("<meta charset=\"gb2312\">", "\xC4\xE3\xBA\xC3"), "你好");
  EXPECT_EQ(TextOfPage("<meta charset=iso-2022-jp>", "\x1B$B4A;z\x1B(B"), "漢字");
  EXPECT_EQ(TextOfPage("<meta charset=koi8-r>", "\xCD\xC9\xD2"), "мир");
  EXPECT_EQ(TextOfPage("<?xml version='1.0' encoding='big5'?>", "\xA7\x41"), "你");
  EXPECT_THAT(ReadFileOfBytes(absl::StrCat(kWord, "<p>caf\xE9"), Format::kHtml)->notes,
              ElementsAre("read as windows-1252"));
  // What is UTF-8 is read as such.
  EXPECT_EQ(TextOfPage(kWord, "café"), "café");
}

TEST(Encoding, MustBeKnownAndRight) {
  EXPECT_THAT(TextOfPage("<meta charset=shift_jis>", "\xFF"), HasSubstr("not windows-31j text"));
  EXPECT_THAT(TextOfPage("<meta charset=utf-16>", "\xFF"), HasSubstr("not UTF-8 text"));
  EXPECT_THAT(TextOfPage("", "\xFF"), HasSubstr("not UTF-8 text"));
  EXPECT_THAT(TextOfPage("<meta charset=klingon>", "\xFF"), HasSubstr("is not known"));
  EXPECT_THAT(TextOfPage(absl::StrCat("<meta charset=", std::string(900, 'x'), ">"), "\xFF"),
              HasSubstr("is not known"));
}

// Returns ASCII in UTF-16, with a byte order mark.
std::string InUtf16(absl::string_view ascii, bool is_big) {
  std::string text = is_big ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) text.append(is_big ? std::string{'\0', c} : std::string{c, '\0'});
  return text;
}

TEST(Encoding, IsThatOfAByteOrderMark) {
  for (const bool is_big : {false, true}) {
    const auto parsed =
        ReadFileOfBytes(InUtf16("---\nlang: en\n---\nText.", is_big), Format::kMarkdown);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->article.body(), "Text.");
    EXPECT_EQ(parsed->article.language_code(), "en");
  }
  EXPECT_THAT(std::string(ReadFileOfBytes("\xFF\xFEx", Format::kMarkdown).status().message()),
              HasSubstr("not UTF-16LE text"));
}

// Otherwise, a draft would be taken for a text.
TEST(Encoding, HidesNoFrontMatter) {
  constexpr char kDraft[] = "---\ntitle: T\ndraft: true\n---\nText.\n";
  std::string old_mac = kDraft;
  std::replace(old_mac.begin(), old_mac.end(), '\n', '\r');
  for (const std::string& file :
       {InUtf16(kDraft, /*is_big=*/false), InUtf16(kDraft, /*is_big=*/true),
        absl::StrCat("\uFEFF", kDraft), old_mac}) {
    for (const char* name : {"a.txt", "a", "-"}) {
      EXPECT_EQ(RecognizeFormat(name, file), Format::kMarkdown) << name << file;
    }
  }
  const std::string page = InUtf16("<!DOCTYPE html>", /*is_big=*/false);
  EXPECT_EQ(RecognizeFormat("a", page), Format::kHtml);
  // The beginning of a file may end within a character.
  EXPECT_EQ(RecognizeFormat("a", absl::StrCat(page, "x")), Format::kHtml);
}

}  // namespace
}  // namespace content::transfer
