// Checks that every engine can run the statements of the store (ARCHITECTURE.md, "The schema"), by
// their text in the source. On Citus, some of what this finds fails, and some returns wrong results
// without an error.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

const fs::path kRoot = CONTENT_SOURCE_DIR;

std::string TextOf(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The tables that are distributed by bucket, and the condition on it by which a statement is sent
// to the right place.
const std::string kDistributed =
    "article_state|article|article_label|article_search|comment|comment_report|comment_report_"
    "count|"
    "request";
const std::string kNamesBucket = R"(\bbucket = (\$\d+|ANY \(\$\d+))";

// A piece of SQL: a raw string literal, or other literals with nothing or StrCat's arguments
// between them. Spaces are normalised.
struct Piece {
  std::string file;
  std::string text;
};

std::string OnOneLine(const std::string& text) {
  return std::regex_replace(text, std::regex(R"(\s+)"), " ");
}

// Returns the literals of the code, one text for each statement of C++ that has some. The code in
// between is left out.
std::vector<std::string> LiteralsIn(const std::string& code) {
  static const std::regex token(
      R"re(//[^\n]*|R"sql\(([\s\S]*?)\)sql"|"((?:[^"\\\n]|\\.)*)"|'(?:[^'\\]|\\.)'|;)re");
  std::vector<std::string> literals;
  std::string current;
  for (std::sregex_iterator it(code.begin(), code.end(), token), end; it != end; ++it) {
    if (it->str() == ";") {
      if (!current.empty()) literals.push_back(std::exchange(current, ""));
    } else if ((*it)[1].matched || (*it)[2].matched) {
      current += (*it)[1].str() + (*it)[2].str();
    }
  }
  return literals;
}

std::vector<Piece> FindPieces() {
  static const std::regex sql(R"(\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|WHERE|JOIN) )");
  std::vector<Piece> pieces;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "service" / "store")) {
    if (entry.path().extension() != ".cc" && entry.path().extension() != ".h") continue;
    if (entry.path().filename() == "schema.cc") continue;  // it reads the catalog, not the tables
    for (const std::string& literal : LiteralsIn(TextOf(entry.path()))) {
      const std::string text = OnOneLine(literal);
      if (std::regex_search(text, sql)) {
        pieces.push_back({fs::relative(entry.path(), kRoot / "service" / "store"), text});
      }
    }
  }
  return pieces;
}

// Returns the files with a piece that matches, once for each piece.
std::multiset<std::string> FilesWith(const std::string& pattern) {
  static const std::vector<Piece> pieces = FindPieces();
  const std::regex regex(pattern);
  std::multiset<std::string> files;
  for (const Piece& piece : pieces) {
    if (std::regex_search(piece.text, regex)) files.insert(piece.file);
  }
  return files;
}

TEST(Statements, AreFound) {
  EXPECT_THAT(FilesWith(""), SizeIs(::testing::Gt(40)));
  EXPECT_THAT(FilesWith("article_state"),
              IsSupersetOf({"lock.cc", "articles/batch.cc", "comments/read.cc"}));
}

TEST(Statements, OnlyTheResolverKnowsNames) {
  const auto files = FilesWith(R"(\barticle_name\b)");
  EXPECT_EQ(std::set<std::string>(files.begin(), files.end()), std::set<std::string>{"names.cc"});
  EXPECT_THAT(FilesWith(R"(\barticle_name\b.*\b(JOIN|article|article_state|comment)\b|)"
                        R"(\b(JOIN|article|article_state|comment)\b.*\barticle_name\b)"),
              IsEmpty())
      << "it looks up nothing else";
}

// A condition on an article's key has one on its bucket beside it, by which the statement is sent
// to the right place. (Comparisons by order are for paging through all articles.)
TEST(Statements, HaveTheBucketWithTheKey) {
  static const std::regex key(R"((\b\w+\.)?\barticle_key = )");
  for (const Piece& piece : FindPieces()) {
    if (piece.file == "names.cc") continue;  // article_name has no bucket
    for (std::sregex_iterator it(piece.text.begin(), piece.text.end(), key), end; it != end; ++it) {
      const std::regex bucket("\\b" + (*it)[1].str() + "bucket = ");
      EXPECT_TRUE(std::regex_search(piece.text, bucket)) << piece.file << ": " << piece.text;
    }
  }
  EXPECT_THAT(FilesWith(R"(USING \(article_key)"), IsEmpty());
}

TEST(Statements, LockRowsOfBucketsThatTheyName) {
  const std::string locks = R"(\bFOR (NO KEY )?(UPDATE|SHARE)\b)";
  EXPECT_EQ(FilesWith(locks), (std::multiset<std::string>{"articles/release.cc", "lock.cc"}));
  EXPECT_EQ(FilesWith(kNamesBucket + "[^;]*" + locks), FilesWith(locks));
}

// So do those that write: they lock the rows. Rows that are given name the bucket first, which a
// BulkStatement sends as one value if all rows are of one.
TEST(Statements, WriteRowsOfBucketsThatTheyName) {
  const std::string writes = "\\b(UPDATE|DELETE FROM) (" + kDistributed + ")\\b";
  EXPECT_THAT(FilesWith(writes), SizeIs(::testing::Gt(6)));
  for (const Piece& piece : FindPieces()) {
    if (!std::regex_search(piece.text, std::regex(writes))) continue;
    static const std::regex names_bucket(kNamesBucket +
                                         R"(|\$rows AS n \(bucket, .*\bbucket = n\.bucket\b)");
    EXPECT_TRUE(std::regex_search(piece.text, names_bucket)) << piece.file << ": " << piece.text;
  }
}

// On Citus, the rows of our tables are elsewhere than the catalog.
TEST(Statements, ReadTheCatalogAlone) {
  const std::string catalog = R"(\b(FROM|JOIN) pg_)";
  const std::string ours = "\\b(FROM|JOIN|INTO|UPDATE) (" + kDistributed +
                           "|request_default|article_(name|feed|change))\\b";
  EXPECT_THAT(FilesWith(catalog), ::testing::Contains("upkeep/requests.cc"));
  EXPECT_THAT(FilesWith(catalog + ".*" + ours + "|" + ours + ".*" + catalog), IsEmpty());
}

TEST(Statements, DependOnNoPhysicalPlaces) {
  EXPECT_THAT(FilesWith(R"(\b(ctid|xmin|tableoid)\b)"), IsEmpty());
}

TEST(Statements, ModifyOneTableEach) {
  EXPECT_THAT(
      FilesWith(R"(\b\w+( \([^)]*\))? AS (NOT )?(MATERIALIZED )?\( ?(INSERT|UPDATE|DELETE)\b)"),
      IsEmpty());
}

TEST(Statements, RecurWithinOneBucket) {
  EXPECT_EQ(FilesWith(R"(\bRECURSIVE\b)"), (std::multiset<std::string>{"upkeep/counters.cc"}));
  for (const Piece& piece : FindPieces()) {
    if (piece.text.find("RECURSIVE") == std::string::npos) continue;
    const auto count = [&piece](const char* pattern) {
      const std::regex regex(pattern);
      return std::distance(std::sregex_iterator(piece.text.begin(), piece.text.end(), regex), {});
    };
    EXPECT_EQ(count(R"(\bFROM (comment|article_state) )"), count(R"(\bbucket = \$1::smallint)"));
  }
}

// Citus 13 crashes if a function in a FROM clause takes a column of another function's rows.
TEST(Statements, UnnestNoFieldsInFrom) {
  EXPECT_THAT(FilesWith(R"(\b(FROM|JOIN|LATERAL|,) unnest\(\w+\.\w+\))"), IsEmpty());
}

TEST(Statements, AreSentWithPlansThatKnowTheBucketWhereItMatters) {
  const std::string settings = TextOf(kRoot / "service" / "postgres" / "session.h");
  EXPECT_THAT(settings, ::testing::HasSubstr("extname = 'citus'"));
  EXPECT_THAT(settings, ::testing::Not(::testing::ContainsRegex("SET plan_cache_mode")));
}

// Every primary key has the column by which tables are distributed, except those of tables that
// stay on one node. There is nothing that would need one node to number or watch rows.
TEST(Statements, RunOnASchemaThatCanBeDistributed) {
  const fs::path migrations = kRoot / "deploy" / "migrations";
  int keys = 0;
  for (const auto& entry : fs::directory_iterator(migrations)) {
    if (entry.path().filename() < "0006") continue;
    const std::string text = TextOf(entry.path());
    static const std::regex forbidden(R"(\b(CREATE TRIGGER|SEQUENCE|SERIAL|REFERENCES)\b)",
                                      std::regex::icase);
    static const std::regex key(R"((\w+) ADD PRIMARY KEY \(([^)]*)\))");
    const std::string code = std::regex_replace(text, std::regex("--[^\n]*"), "");
    EXPECT_FALSE(std::regex_search(code, forbidden)) << entry.path();
    for (std::sregex_iterator it(code.begin(), code.end(), key), end; it != end; ++it) {
      if ((*it)[1] == "keyed" || (*it)[1] == "article_name") continue;
      ++keys;
      EXPECT_NE((*it)[2].str().find("bucket"), std::string::npos) << it->str();
    }
  }
  EXPECT_EQ(keys, 6);
}

}  // namespace
