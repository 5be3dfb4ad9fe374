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
                                      element.name, "=", element.text));
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
  EXPECT_FALSE(ReadXmlText("<r><a>1</a><a>tr").status.ok());
  EXPECT_FALSE(ReadXmlText("<r><a>\xFF\xC3(</a></r>").status.ok());
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

TEST(Xml, RefusesWhatIsTooDeep) {
  std::string deep = "<r>";
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_FALSE(ReadXmlText(deep).status.ok());
}

TEST(Xml, RefusesElementsThatAreTooLarge) {
  std::string large = "<r><a>";
  while (large.size() < size_t{70} << 20) large += "0123456789 0123456789 0123456789 0123456789 ";
  const Seen seen = ReadXmlText(large + "</a></r>");
  EXPECT_THAT(seen.texts, IsEmpty());
  EXPECT_FALSE(seen.status.ok());
}

}  // namespace
}  // namespace content::transfer
