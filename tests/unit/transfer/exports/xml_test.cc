#include "transfer/exports/xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Seen {
  absl::Status status;
  std::vector<std::string> texts;  // of the elements visited, with their names
};

Seen ReadXmlText(const std::string& content, const XmlShape& shape = {.depth = 1}) {
  std::string path = ::testing::TempDir() + "/xml-XXXXXX";
  close(mkstemp(path.data()));
  std::ofstream(path, std::ios::binary) << content;
  const auto file = ExportFile::Open(path, "");
  EXPECT_TRUE(file.ok()) << file.status();
  Seen seen;
  seen.status = ReadXml(**file, shape, [&seen](const XmlElement& element, const XmlElement* from) {
    seen.texts.push_back(absl::StrCat(from == nullptr ? "" : absl::StrCat(from->name, "/"),
                                      element.name, "=", element.text,
                                      element.problem.empty() ? "" : ": ", element.problem));
    return element.text != "stop";
  });
  std::filesystem::remove(path);
  return seen;
}

TEST(Xml, VisitsElementsOfADepth) {
  const Seen seen =
      ReadXmlText("<r><a>1</a><b><c>no</c>2</b><a>x<![CDATA[<]]]]><![CDATA[>]]>y</a></r>");
  EXPECT_TRUE(seen.status.ok()) << seen.status;
  EXPECT_THAT(seen.texts, ElementsAre("a=1", "b=2", "a=x<]]>y"));
}

TEST(Xml, DetachesElements) {
  const Seen seen =
      ReadXmlText("<r><i>1<c>2</c>3<c>4</c></i></r>", {.depth = 1, .detached_name = "c"});
  EXPECT_THAT(seen.texts, ElementsAre("i/c=2", "i/c=4", "i=13"));
}

TEST(Xml, StopsWhenTold) {
  const Seen seen = ReadXmlText("<r><a>1</a><a>stop</a><a>3</a></r>");
  EXPECT_TRUE(seen.status.ok()) << seen.status;
  EXPECT_THAT(seen.texts, ElementsAre("a=1", "a=stop"));
}

TEST(Xml, ControlCharactersAreSpaces) {
  EXPECT_THAT(ReadXmlText("<r><a>1\x08\x02"
                          "2</a></r>")
                  .texts,
              ElementsAre("a=1  2"));
}

TEST(Xml, SaysWhereAFileIsBroken) {
  const Seen seen = ReadXmlText("<r><a>1</a>\n<a>2</b></r>");
  EXPECT_THAT(seen.texts, ElementsAre("a=1"));
  EXPECT_THAT(std::string(seen.status.message()), HasSubstr("line 2: "));
  EXPECT_THAT(std::string(seen.status.message()), HasSubstr("; what follows was not read"));
  for (const char* const cut : {"<r><a>1</a>\n<a>tr", "<r><a>1</a>\n<a", "<r><a>1</a>\n<a b='",
                                "<r><a>1</a>\n<a><![CDATA[x"}) {
    EXPECT_EQ(ReadXmlText(cut).status.message(), "line 2: the file was cut off here") << cut;
  }
  EXPECT_FALSE(ReadXmlText("").status.ok());
}

TEST(Xml, RefusesEntities) {
  const Seen laughs =
      ReadXmlText("<!DOCTYPE r [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><r><a>&b;</a></r>");
  EXPECT_THAT(laughs.texts, IsEmpty());
  EXPECT_THAT(std::string(laughs.status.message()), HasSubstr("entities"));
  const Seen external =
      ReadXmlText("<!DOCTYPE r [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><r><a>&a;</a></r>");
  EXPECT_THAT(external.texts, IsEmpty());
}

// What is in one element of text.
std::string Mended(const std::string& text) {
  const Seen seen = ReadXmlText(absl::StrCat("<r><a>", text, "</a><a>next</a></r>"));
  EXPECT_TRUE(seen.status.ok()) << seen.status;
  if (seen.texts.size() != 2) return "";
  EXPECT_EQ(seen.texts[1], "a=next");
  return seen.texts[0];
}

TEST(Xml, ChildrenOfTheSameNamespaceComeFirst) {
  const XmlElement item = {.name = "item",
                           .children = {{.name = "title", .space = "media", .text = "A picture"},
                                        {.name = "creator", .space = "dc", .text = "Ada"},
                                        {.name = "title", .text = " A post "}}};
  EXPECT_EQ(item.TextOf("title"), "A post");
  EXPECT_EQ(item.TextOf("creator"), "Ada");
  EXPECT_EQ(item.Child("link"), nullptr);
}

TEST(Xml, MendsCharacters) {
  EXPECT_EQ(Mended("1&#x0B;2&#0;3"), "a=1 2 3");
  EXPECT_EQ(Mended("&#xFFFF;&#xD800;&#x110000;&#99999999999;"), "a=\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(Mended("\xEF\xBF\xBF \xE9t\xE9 \xED\xA0\x80"),
            "a=\uFFFD \uFFFDt\uFFFD \uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(Mended("<![CDATA[\xE9\x0B&nbsp;<b>]]>"), "a=\uFFFD &nbsp;<b>");
  EXPECT_EQ(Mended("\u00E9 \u20AC \U0001F6A2 &#233; &#x20ac; &lt;&amp;&quot;"),
            "a=\u00E9 \u20AC \U0001F6A2 \u00E9 \u20AC <&\"");
}

TEST(Xml, MendsMarks) {
  EXPECT_EQ(Mended("a &nbsp; b & c &; &#; &#x; &#xg; &"), "a=a &nbsp; b & c &; &#; &#x; &#xg; &");
  EXPECT_EQ(Mended("1 < 2 <3 </ ]]> x]]>"), "a=1 < 2 <3 </ ]]> x]]>");
  EXPECT_EQ(Mended("1<!-- a -- b & < -->2<?php a & b ?>3"), "a=123");
}

TEST(Xml, MendsAttributes) {
  const Seen seen = ReadXmlText("<r><a><b c='1 < 2 & \"3\" > &copy;'/>x</a></r>");
  EXPECT_TRUE(seen.status.ok()) << seen.status;
  EXPECT_THAT(seen.texts, ElementsAre("a=x"));
}

// Marks and characters may be cut anywhere by the end of a piece that is read.
TEST(Xml, MendsWhatIsCutBetweenPieces) {
  constexpr char kPart[] = "<a>\u20AC&nbsp;<![CDATA[x]]>&amp;<!-- y -->]]>\xFF</a>";
  std::string text = "<r>";
  for (int i = 0; i < 20'000; ++i) text += kPart;
  const Seen seen = ReadXmlText(text + "</r>");
  EXPECT_TRUE(seen.status.ok()) << seen.status;
  EXPECT_EQ(seen.texts.size(), 20'000);
  for (const std::string& part : seen.texts) {
    ASSERT_EQ(part, "a=\u20AC&nbsp;x&]]>\uFFFD");
  }
}

TEST(Xml, ReadsOtherEncodings) {
  const Seen seen = ReadXmlText("<?xml version='1.0' encoding='ISO-8859-1'?><r><a>caf\xE9</a></r>");
  EXPECT_TRUE(seen.status.ok()) << seen.status;
  EXPECT_THAT(seen.texts, ElementsAre("a=caf\u00E9"));
}

TEST(Xml, RefusesUtf16) {
  using std::string_literals::operator""s;
  for (const std::string& text :
       {"\xFF\xFE<\0r\0/\0>\0"s, "\xFE\xFF\0<\0r\0/\0>"s, "<\0r\0/\0>\0"s, "\0<\0r\0/\0>"s}) {
    EXPECT_THAT(std::string(ReadXmlText(text).status.message()), HasSubstr("UTF-16"));
  }
}

TEST(Xml, GoesOnAfterWhatIsTooDeep) {
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "<b>x";
  for (int i = 0; i < 200; ++i) deep += "</b>";
  const Seen seen = ReadXmlText(absl::StrCat("<r><a>1", deep, "2</a><a>3</a></r>"));
  EXPECT_TRUE(seen.status.ok()) << seen.status;
  EXPECT_THAT(seen.texts, ElementsAre("a=12: has elements more than 100 levels deep", "a=3"));
}

TEST(Xml, EndsWhereElementsHaveNoEnd) {
  std::string deep = "<r>";
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_THAT(std::string(ReadXmlText(deep).status.message()), HasSubstr("too deep"));
  const Seen seen = ReadXmlText("<r><a>1</a><a b='" + std::string(size_t{3} << 20, 'x'));
  EXPECT_THAT(std::string(seen.status.message()), HasSubstr("a tag is too large"));
}

TEST(Xml, GoesOnAfterElementsThatAreTooLarge) {
  const std::string large(size_t{70} << 20, 'x');
  const Seen seen = ReadXmlText(
      absl::StrCat("<r><i>1<c><![CDATA[", large, "]]></c>2<d>", large, "</d>3</i><i>4</i></r>"),
      {.depth = 1, .detached_name = "c"});
  EXPECT_TRUE(seen.status.ok()) << seen.status;
  EXPECT_THAT(seen.texts,
              ElementsAre("i/c=: is larger than 64 MiB", "i=123: is larger than 64 MiB", "i=4"));
}

}  // namespace
}  // namespace content::transfer
