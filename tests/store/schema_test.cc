
#include "store/schema.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Does what a migration does that changes the search index.
void EmptySearchIndex(const std::string& url) {
  testing::Query(url,
                 "TRUNCATE article_search; UPDATE schema_migration SET search_index_owed = true");
}

TEST(MigrationsTest, AreNumberedFromOneWithoutGaps) {
  const std::vector<postgres::Migration> known = KnownMigrations();
  ASSERT_FALSE(known.empty());
  for (size_t i = 0; i < known.size(); ++i) EXPECT_EQ(known[i].version, static_cast<int>(i) + 1);
}

TEST(MigrationsTest, AreDividedIntoSteps) {
  for (const postgres::Migration& migration : KnownMigrations()) {
    const auto steps = postgres::StepsOf(migration);
    EXPECT_TRUE(steps.ok()) << steps.status();
  }
}

TEST(MigrationsTest, BringANewDatabaseToTheNeededVersion) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  const auto first = Migrate(url);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->size(), KnownMigrations().size());
  const auto second = Migrate(url);
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(*second, IsEmpty());
  EXPECT_TRUE(CheckSchema(url).ok());
}

TEST(MigrationsTest, RunOneAtATime) {
  const std::string url = testing::NewDatabase(/*migrated=*/false);
  std::vector<absl::StatusOr<std::vector<std::string>>> results(4, absl::UnknownError(""));
  {
    std::vector<std::jthread> threads;
    for (auto& result : results) threads.emplace_back([&result, &url] { result = Migrate(url); });
  }
  size_t applied = 0;
  for (const auto& result : results) {
    ASSERT_TRUE(result.ok()) << result.status();
    applied += result->size();
  }
  EXPECT_EQ(applied, KnownMigrations().size());
}

TEST(MigrationsTest, AnEmptyDatabaseIsRefused) {
  const absl::Status status = CheckSchema(testing::NewDatabase(/*migrated=*/false));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("has schema version 0; this contentd needs version ",
                                     NeededSchemaVersion(), ": run `contentd migrate` first")));
}

TEST(MigrationsTest, ANewerDatabaseIsRefusedAndLeftAlone) {
  const std::string url = testing::NewDatabase();
  testing::Query(url, "INSERT INTO schema_migration VALUES (999, 'future', 'x', now())");
  for (const absl::Status& status : {CheckSchema(url), Migrate(url).status()}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr("version 999, newer than version"));
  }
}

TEST(MigrationsTest, AChangedMigrationIsDetected) {
  const std::string url = testing::NewDatabase();
  testing::Query(url, "UPDATE schema_migration SET checksum = 'x' WHERE version = 1");
  EXPECT_THAT(std::string(CheckSchema(url).message()),
              HasSubstr("is not the one that was applied"));
}

TEST(MigrationsTest, ReportThatTheDatabaseCannotBeReached) {
  const absl::Status status = CheckSchema("host=" + testing::ScratchDirectory() + "/nowhere");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("database: "));
}

TEST_F(StoreTest, AnArticleThatCannotBeIndexedDoesNotKeepOthersOutOfTheIndex) {
  if (testing::OnCitus()) GTEST_SKIP() << "Citus takes no such trigger";
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  EmptySearchIndex(url_);
  Sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE 'made up' USING ERRCODE = '54000', DETAIL = 'some text'; END $$;"
      "CREATE TRIGGER refuses BEFORE INSERT ON article_search FOR EACH ROW "
      "WHEN (NEW.config = 'german') EXECUTE FUNCTION refuse();"
      "UPDATE article SET language_code = 'de' WHERE " +
      OfArticle("a") + "; UPDATE article SET authors = '7' WHERE " + OfArticle("b"));
  ::testing::internal::CaptureStderr();
  const auto applied = Migrate(url_);
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(
      Sql("SELECT string_agg(name, ' ') FROM article_search JOIN article_name USING (article_key)"),
      "c");
  EXPECT_THAT(logged, HasSubstr("article not indexed"));
  EXPECT_THAT(logged, HasSubstr("made up (SQLSTATE 54000)"));
  EXPECT_THAT(logged, ::testing::Not(HasSubstr("some text")));
}

TEST_F(StoreTest, IndexingStopsWhenTheDatabaseCannotWrite) {
  ASSERT_TRUE(Publish(MakeArticle("a")).ok());
  EmptySearchIndex(url_);
  const absl::Status status =
      Migrate(url_ + " options='-c default_transaction_read_only=on'").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("(SQLSTATE 25006)"));
}

// Until it is complete, searches would find too little.
TEST_F(StoreTest, ADatabaseWithoutItsSearchIndexIsRefused) {
  ASSERT_TRUE(Publish(MakeArticle("a")).ok());
  EmptySearchIndex(url_);
  const absl::Status status = CheckSchema(url_);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("run `contentd migrate`"));
  const auto applied = Migrate(url_);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_TRUE(CheckSchema(url_).ok());
  EXPECT_EQ(
      Sql("SELECT string_agg(name, ' ') FROM article_search JOIN article_name USING (article_key)"),
      "a");
}

// ---- Rights ----

TEST(MigrationsTest, WithNothingToDoNeedOnlyTheHistory) {
  const std::string url = testing::NewDatabase();
  const std::string reader = testing::UrlOfNewRole(url);
  testing::Query(url, "GRANT SELECT ON schema_migration TO PUBLIC");
  const auto applied = Migrate(reader);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_THAT(*applied, IsEmpty());
}

TEST(MigrationsTest, EachMissingRightIsNamed) {
  const std::string url = testing::NewDatabase();
  const std::string user = testing::UrlOfNewRole(url);
  const std::string name = testing::Query(user, "SELECT current_user");
  testing::Query(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + name);
  std::string message;
  int granted = 0;
  for (; !CheckSchema(user).ok() && granted < 100; ++granted) {
    message = std::string(CheckSchema(user).message());
    const size_t grant = message.find("GRANT ");
    ASSERT_NE(grant, std::string::npos) << message;
    const std::string sql = message.substr(grant, message.find(" to it") - grant);
    testing::Query(url, absl::StrCat(sql, " TO ", name));
  }
  EXPECT_GT(granted, 15);
  EXPECT_LT(granted, 40);
  EXPECT_TRUE(CheckSchema(user).ok());
}

TEST_F(StoreTest, TheRightsThatAreCheckedAreEnough) {
  const std::string user = testing::UrlOfNewRole(url_);
  const std::string name = testing::Query(user, "SELECT current_user");
  Sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + name);
  while (!CheckSchema(user).ok() && !HasFailure()) {
    const std::string message(CheckSchema(user).message());
    const size_t grant = message.find("GRANT ");
    ASSERT_NE(grant, std::string::npos) << message;
    Sql(absl::StrCat(message.substr(grant, message.find(" to it") - grant), " TO ", name));
  }
  store_ = *Open(user);
  ASSERT_TRUE(Publish(MakeArticle("a")).ok());
  NewComment comment = MakeComment("a", "text");
  comment.request = {.id = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11",
                     .fingerprint = Fingerprint(comment)};
  const auto created = Create(comment);
  ASSERT_TRUE(created.ok()) << created.status();
  ASSERT_TRUE(Moderate(created->name(), v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Delete(created->name()).ok());
  ASSERT_TRUE(Rename({.id = "a", .new_id = "b"}).ok());
  ASSERT_TRUE(Publish(MakeArticle("b")).ok());
  ASSERT_TRUE(Retract("b").ok());
  const auto forgotten = Await<ForgottenRequests>(
      [&](auto done) { store_->ForgetRequests({}, absl::Hours(1), std::move(done)); });
  EXPECT_TRUE(forgotten.ok()) << forgotten.status();
}

// As OPERATING.md says it.
TEST_F(StoreTest, ServersThatOwnTheRequestsKeepUpTheirDays) {
  const std::string user = testing::UrlOfNewRole(url_);
  const std::string name = testing::Query(user, "SELECT current_user");
  Sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + name);
  Sql("GRANT CREATE ON SCHEMA public TO " + name);
  Sql("DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT relid FROM pg_partition_tree('request') "
      "LOOP "
      "EXECUTE format('ALTER TABLE %s OWNER TO " +
      name + "', t); END LOOP; END $$");
  Sql("CREATE TABLE request_20200101 PARTITION OF request FOR VALUES FROM ('2020-01-01') TO "
      "('2020-01-02')");
  Sql("ALTER TABLE request_20200101 OWNER TO " + name);
  store_ = *Open(user);
  const auto forgotten = Await<ForgottenRequests>(
      [&](auto done) { store_->ForgetRequests({}, absl::Hours(1), std::move(done)); });
  ASSERT_TRUE(forgotten.ok()) << forgotten.status();
  EXPECT_EQ(forgotten->count, 1);
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'request'::regclass"), "5");
}

// ---- Migrating from version 1 ----

// Three articles, one of them retracted. On the first a thread: `top` has two replies that are
// VISIBLE and one that waits; `hidden` has one that is VISIBLE, `alone` none.
constexpr char kVersion1Data[] = R"sql(
INSERT INTO article_state (article_id, revision, comment_count, comment_policy, publish_time,
                           retracted)
VALUES ('first', 9, 4, 2, '2020-01-01 00:00:00Z', false),
       ('gone', 2, 0, 1, '2021-01-01 00:00:00Z', true),
       ('second', 1, 0, 1, '2022-01-01 00:00:00Z', false);

INSERT INTO article (article_id, text_revision, title, authors, update_time, language_code, summary,
                     body, sections, tags, source_uri, word_count)
SELECT article_id, 1, 'About ' || article_id, '[{"display_name": "Ana"}]', publish_time, language,
       '', 'Walking ships.', '[{"byte_length": 14, "anchor": "section-1", "word_count": 2}]',
       '["sea"]', '', 2
FROM article_state JOIN (VALUES ('first', 'en-GB'), ('gone', 'en'), ('second', 'tlh'))
     AS languages (article_id, language) USING (article_id);

INSERT INTO article_label (article_id, kind, value, publish_time)
SELECT article_id, kind, value, publish_time FROM article_state
CROSS JOIN (VALUES ('author', 'Ana'), ('tag', 'sea')) AS labels (kind, value);

CREATE FUNCTION id(n integer) RETURNS uuid LANGUAGE sql AS
  $$ SELECT ('01980000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
CREATE TEMP TABLE said (n integer, parent integer, body text, state smallint, replies integer);
INSERT INTO said VALUES (1, NULL, 'top', 1, 2), (2, 1, 'reply', 1, 0), (3, 1, 'waits', 2, 0),
                        (4, 1, 'another', 1, 0), (5, NULL, 'hidden', 3, 1),
                        (6, 5, 'below', 1, 0), (7, NULL, 'alone', 3, 0);
INSERT INTO comment (article_id, comment_id, parent_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, edit_count, create_time, update_time,
                     revision, text_revision)
SELECT 'first', id(n), id(parent), coalesce(uuid_send(id(parent)), '') || uuid_send(id(n)),
       (parent IS NOT NULL)::integer, state, 'u', 'U', body, replies, 0, now(), now(), n + 1, n + 1
FROM said ORDER BY n;

INSERT INTO request (article_id, request_id, fingerprint, comment_id, create_time)
VALUES ('first', '2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11', '\x00', id(2), now());
)sql";

// A database as a version of the schema left it, with data.
std::string NewDatabaseOfVersion(int version, const std::string& data) {
  std::string url = testing::NewDatabase(/*migrated=*/false);
  std::string sql =
      "CREATE TABLE schema_migration (version integer PRIMARY KEY, name text NOT NULL, checksum "
      "text NOT NULL, applied_time timestamptz NOT NULL);";
  for (const postgres::Migration& migration : KnownMigrations()) {
    if (migration.version > version) break;
    absl::StrAppend(&sql, migration.sql, ";INSERT INTO schema_migration VALUES (",
                    migration.version, ", '", migration.name, "', '",
                    absl::BytesToHexString(Digest({migration.sql})), "', now());");
  }
  testing::Query(url, absl::StrCat(sql, data));
  return url;
}

// Uses a database that was migrated from an older version.
class OldVersionTest : public StoreTest {
 protected:
  void StartFrom(int version, const std::string& data) {
    url_ = NewDatabaseOfVersion(version, data);
    const auto applied = Migrate(url_);
    ASSERT_TRUE(applied.ok()) << applied.status();
    ASSERT_EQ(applied->size(), KnownMigrations().size() - static_cast<size_t>(version));
    store_ = *Open(url_);
  }
};

class Version1Test : public OldVersionTest {
 protected:
  void SetUp() override { StartFrom(1, kVersion1Data); }

  static std::string Name(int n) {
    return absl::StrCat("articles/first/comments/01980000-0000-7000-8000-00000000000", n);
  }
};

TEST_F(Version1Test, ArticlesKeepTheirNamesAndGetFeedPositions) {
  EXPECT_EQ(Sql("SELECT string_agg(n.name || '=' || s.first_name, ' ' ORDER BY n.name) "
                "FROM article_name n JOIN article_state s USING (article_key)"),
            "first=first gone=gone second=second");
  EXPECT_EQ(Sql("SELECT string_agg(concat_ws(' ', name, feed_position, published_position), ', ' "
                "ORDER BY publish_time) FROM article_state"),
            "first 1 1, gone 2 2, second 3 3");
  EXPECT_EQ(Sql("SELECT position FROM article_feed"), "3");
  EXPECT_EQ(Sql("SELECT string_agg(position || ' ' || first_name, ', ' ORDER BY position) "
                "FROM article_change JOIN article_state USING (article_key)"),
            "1 first, 2 gone, 3 second");
  ASSERT_TRUE(Publish(MakeArticle("third")).ok());
  EXPECT_EQ(Sql("SELECT feed_position FROM article_state WHERE name = 'third'"), "4");
}

TEST_F(Version1Test, ArticlesAreFoundByWordsInTheirLanguage) {
  EXPECT_EQ(Sql("SELECT string_agg(name || ' ' || config, ', ' ORDER BY name) "
                "FROM article_search JOIN article_name USING (article_key)"),
            "first english, second simple");
  EXPECT_EQ(Sql("SELECT string_agg(name, ' ') "
                "FROM article_search JOIN article_name USING (article_key) WHERE search @@ $$walk "
                "& ship & 'config=english'$$"),
            "first");
  EXPECT_EQ(Sql("SELECT string_agg(name, ' ') "
                "FROM article_search JOIN article_name USING (article_key) WHERE search @@ "
                "$$walking & 'config=simple'$$"),
            "second");
  // The index entries are those that the service would have written.
  const std::string migrated = Sql("SELECT search FROM article_search WHERE " + OfArticle("first"));
  ASSERT_TRUE(Retract("first").ok());
  v1::Article article = Inspect("first")->article;
  article.clear_etag();
  ASSERT_TRUE(Publish(article).ok());
  EXPECT_EQ(Sql("SELECT search FROM article_search WHERE " + OfArticle("first")), migrated);
}

TEST_F(Version1Test, CommentsStayShownOrHidden) {
  constexpr char kBodies[] = "SELECT string_agg(body, ' ' ORDER BY comment_id) FROM comment WHERE ";
  EXPECT_EQ(Sql(absl::StrCat(kBodies, "shown")), "top reply another hidden below");
  EXPECT_EQ(Sql(absl::StrCat(kBodies, "ever_shown")), "top reply another hidden below");
  EXPECT_THAT(
      ListBodies({.article_id = "first", .order = v1::COMMENT_ORDER_THREADED, .page_size = 2}),
      ElementsAre("top", "reply", "another", "", "below"));
  EXPECT_EQ(GetOne("first").comment_count(), 4);
}

TEST_F(Version1Test, AllWritesWork) {
  ASSERT_TRUE(Moderate(Name(3), v1::COMMENT_STATE_VISIBLE).ok());
  EXPECT_EQ(GetComment(Name(1))->reply_count(), 3);
  ASSERT_TRUE(Delete(Name(6)).ok());
  EXPECT_EQ(ReasonOf(GetComment(Name(5)).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(GetOne("first").comment_count(), 4);
  EXPECT_EQ(GetOne("first").revision(), 11);
  ASSERT_TRUE(Rename({.id = "second", .new_id = "renamed"}).ok());
  EXPECT_EQ(GetOne("second").name(), "articles/renamed");
  EXPECT_THAT(ListTitles({.author = "Ana", .tag = "sea", .page_size = 9}),
              ElementsAre("About second", "About first"));
  EXPECT_TRUE(Inspect("gone")->retracted);
  EXPECT_EQ(ReasonOf(Rename({.id = "first", .new_id = "gone"}).status()), "ARTICLE_EXISTS");
}

TEST_F(Version1Test, RepeatedRequestsAreRecognised) {
  NewComment again = MakeComment("first", "reply");
  again.request = {.id = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11", .fingerprint = Fingerprint(again)};
  const auto first = Create(again);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->name(), Name(2));
  EXPECT_EQ(first->article_revision(), 3);
}

// ---- Migrating from version 3 ----

// An article that is due, one that will be in a hundred years, and one that would be.
constexpr char kVersion3Data[] = R"sql(
INSERT INTO article_state (article_id, name, revision, comment_count, comment_policy, publish_time,
                           retracted, feed_position, published_position, ever_readable)
SELECT id, id, 1, 0, 1, now() + interval '1 year' * years, retracted, position, position, false
FROM (VALUES ('due', -1, false, 1), ('scheduled', 100, false, 2), ('gone', 100, true, 3))
     AS a (id, years, retracted, position);
UPDATE article_feed SET position = 3;
INSERT INTO article_name (name, article_id) SELECT article_id, article_id FROM article_state;
INSERT INTO article (article_id, text_revision, title, authors, update_time, language_code, summary,
                     body, sections, tags, source_uri, word_count)
SELECT article_id, 1, 'About ' || article_id, '[]', now(), 'en', '', 'A whale.', '[]', '[]', '', 2
FROM article_state;
INSERT INTO article_search (article_id, config, publish_time, search)
SELECT article_id, 'english', publish_time,
       to_tsvector('english', 'A whale.') || '''config=english'' ''language=en'''::tsvector
FROM article_state WHERE NOT retracted;
)sql";

class Version3Test : public OldVersionTest {
 protected:
  void SetUp() override { StartFrom(3, kVersion3Data); }

  std::vector<std::string> Search() {
    auto page = Await<Page<v1::SearchResult>>([&](auto done) {
      store_->SearchArticles({}, {.text = "whale", .page_size = 9}, std::move(done));
    });
    std::vector<std::string> names;
    for (const auto& result : page->items) names.push_back(result.article().name());
    return names;
  }
};

TEST_F(Version3Test, ScheduledArticlesStayScheduled) {
  EXPECT_THAT(ListTitles({.page_size = 9}), ElementsAre("About due"));
  EXPECT_THAT(Search(), ElementsAre("articles/due"));
  ReleaseDueArticles();
  EXPECT_FALSE(Exists("scheduled"));
  Sql("UPDATE article_state SET publish_time = now()");
  ReleaseDueArticles();
  EXPECT_THAT(ListTitles({.page_size = 9}), ElementsAre("About scheduled", "About due"));
  EXPECT_THAT(Search(), ::testing::UnorderedElementsAre("articles/scheduled", "articles/due"));
  EXPECT_TRUE(Inspect("gone")->retracted);
}

// ---- Migrating from version 4 ----

// An article and a comment whose names are older than the rules for names: `e` and an accent
// instead of one character, white space at the ends, and one tag in two forms. The other article's
// names are in order.
constexpr char kVersion4Data[] = R"sql(
INSERT INTO article_state (article_id, name, revision, comment_count, comment_policy, publish_time,
                           retracted, scheduled, feed_position, published_position, ever_readable)
SELECT id, id, 1, 0, 1, now(), false, false, position, position, true
FROM (VALUES ('old', 1), ('plain', 2)) AS a (id, position);
UPDATE article_feed SET position = 2;
INSERT INTO article_name (name, article_id) SELECT article_id, article_id FROM article_state;
INSERT INTO article (article_id, text_revision, title, authors, update_time, language_code, summary,
                     body, sections, tags, source_uri, word_count)
VALUES ('old', 1, E' Cafe\u0301\u3000',
        jsonb_build_array(jsonb_build_object('display_name', E'Ana\u00A0', 'id', E' ane\u0301',
                                             'uri', 'https://a.example/'),
                          jsonb_build_object('display_name', E'\tRene\u0301')),
        now(), 'en', '', 'A whale.', '[]', jsonb_build_array('sea ', E'cafe\u0301', 'sea', 'café'),
        '', 2),
       ('plain', 1, 'Plain', '[]', now(), 'en', '', 'A whale.', '[]', '[]', '', 2);
INSERT INTO article_label (article_id, kind, value, publish_time)
SELECT s.article_id, kind, value, publish_time FROM article_state s
CROSS JOIN (
  VALUES ('author', E' ane\u0301'), ('author', E'\tRene\u0301'), ('tag', 'sea '), ('tag', 'sea'),
         ('tag', E'cafe\u0301'), ('tag', 'café'), ('author and tag', E' ane\u0301\nsea '),
         ('author and tag', E' ane\u0301\nsea')
) AS labels (kind, value)
WHERE s.article_id = 'old';
INSERT INTO comment (article_id, comment_id, parent_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, shown, ever_shown, edit_count,
                     create_time, update_time, revision, text_revision)
SELECT 'old', id, NULL, uuid_send(id), 0, 1, author_id, author_id, 'text', 0, true, true, 0, now(),
       now(), 1, 1
FROM (SELECT ('01980000-0000-7000-8000-00000000000' || n)::uuid, author_id
      FROM (VALUES (1, E'\u2003jose\u0301 '), (2, 'josé'), (3, E'\u200Bx'), (4, ' '))
           AS c (n, author_id)) AS c (id, author_id);
)sql";

class Version4Test : public OldVersionTest {
 protected:
  void SetUp() override { StartFrom(4, kVersion4Data); }
};

TEST_F(Version4Test, NamesAreStoredInTheFormOfNewOnes) {
  EXPECT_EQ(Sql("SELECT title || authors || tags FROM article WHERE " + OfArticle("old")),
            "Café[{\"id\": \"ané\", \"uri\": \"https://a.example/\", \"display_name\": \"Ana\"}, "
            "{\"display_name\": \"René\"}][\"sea\", \"café\"]");
  EXPECT_EQ(Sql("SELECT title || authors || tags FROM article WHERE " + OfArticle("plain")),
            "Plain[][]");
  EXPECT_EQ(Sql("SELECT string_agg(kind || '=' || replace(value, E'\n', '+'), ' ' "
                "ORDER BY kind, value) FROM article_label"),
            "author=René author=ané author and tag=ané+sea tag=café tag=sea");
  EXPECT_EQ(Sql("SELECT string_agg(author_id || '=' || author_display_name, ',' "
                "ORDER BY comment_id) FROM comment"),
            "josé=josé,josé=josé,\u200Bx=\u200Bx, = ");
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_proc WHERE proname = 'stored_form'"), "0");
}

TEST_F(Version4Test, OldNamesAreFound) {
  EXPECT_THAT(ListTitles({.author = "ané", .tag = "sea", .page_size = 9}), ElementsAre("Café"));
  EXPECT_THAT(ListTitles({.tag = "café", .page_size = 9}), ElementsAre("Café"));
  EXPECT_EQ(Export("josé", "")->items.size(), 2U);
  EXPECT_EQ(Export("\u200Bx", "")->items.size(), 1U);
  EXPECT_EQ(Erase("josé")->comment_count, 2);
}

// ---- Migrating from version 5 ----

// Two articles, the later one renamed. On it a comment with a reply, and requests of two days.
constexpr char kVersion5Data[] = R"sql(
INSERT INTO article_state (article_id, name, revision, comment_count, comment_policy, publish_time,
                           retracted, scheduled, feed_position, published_position, ever_readable)
VALUES ('later', 'renamed', 4, 2, 1, '2021-01-01 00:00:00Z', false, false, 2, 2, true),
       ('earlier', 'earlier', 1, 0, 1, '2020-01-01 00:00:00Z', false, false, 1, 1, false);
UPDATE article_feed SET position = 2;
INSERT INTO article_name VALUES ('later', 'later'), ('renamed', 'later'), ('earlier', 'earlier');
INSERT INTO article (article_id, text_revision, title, authors, update_time, language_code, summary,
                     body, sections, tags, source_uri, word_count)
SELECT article_id, 1, 'About ' || article_id, '[{"display_name": "Ana"}]', now(), 'en', 'Short.',
       'A whale.', '[]', '["sea"]', 'https://example.com/', 2
FROM article_state;
INSERT INTO article_label (article_id, kind, value, publish_time)
SELECT article_id, 'tag', 'sea', publish_time FROM article_state;
INSERT INTO comment (article_id, comment_id, parent_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, edit_count, create_time, update_time,
                     revision, text_revision, shown, ever_shown)
SELECT 'later', id, parent, decode(replace(concat(parent, id), '-', ''), 'hex'),
       (parent IS NOT NULL)::integer, 1, 'u', 'U', body, (parent IS NULL)::integer, 0, now(), now(),
       n, n, true, true
FROM (VALUES (2, '01980000-0000-7000-8000-000000000001'::uuid, NULL::uuid, 'top'),
             (3, '01980000-0000-7000-8000-000000000002',
              '01980000-0000-7000-8000-000000000001', 'reply')) AS said (n, id, parent, body);
INSERT INTO request (article_id, request_id, fingerprint, comment_id, create_time, revision, outcome)
SELECT 'later', ('2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a1' || n)::uuid, '', NULL,
       now() - n * interval '1 day', 3, 0
FROM generate_series(0, 1) AS n;
CREATE ROLE reader_of_version_5;
CREATE ROLE owner_of_version_5;
ALTER TABLE comment OWNER TO owner_of_version_5;
ALTER TABLE article_label OWNER TO owner_of_version_5;
ALTER TABLE request OWNER TO owner_of_version_5;
GRANT SELECT ON comment TO reader_of_version_5;
GRANT INSERT ON article_label TO reader_of_version_5;
GRANT INSERT, DELETE ON request TO reader_of_version_5 WITH GRANT OPTION;
)sql";

class Version5Test : public OldVersionTest {
 protected:
  void SetUp() override { StartFrom(5, kVersion5Data); }
  void TearDown() override {
    Sql("DROP OWNED BY reader_of_version_5, owner_of_version_5; "
        "DROP ROLE reader_of_version_5, owner_of_version_5");
  }
};

TEST_F(Version5Test, EverythingIsFoundByItsKey) {
  for (const char* id : {"later", "renamed"}) EXPECT_EQ(GetOne(id).title(), "About later");
  EXPECT_EQ(Inspect("renamed")->former_names, std::vector<std::string>{"articles/later"});
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 1}),
              ElementsAre("About later", "About earlier"));
  const v1::Article article = GetOne("later");
  EXPECT_EQ(article.summary(), "Short.");
  EXPECT_EQ(article.body(), "A whale.");
  EXPECT_EQ(article.source_uri(), "https://example.com/");
  EXPECT_EQ(article.word_count(), 2);
  EXPECT_EQ(article.revision(), 4);
  EXPECT_EQ(article.comment_count(), 2);
  EXPECT_THAT(
      ListBodies({.article_id = "later", .order = v1::COMMENT_ORDER_THREADED, .page_size = 1}),
      ElementsAre("top", "reply"));
  EXPECT_THAT(Verify({})->drifts, IsEmpty());
  // The index of searches is filled again; see version 5.
  EXPECT_EQ(
      Sql("SELECT count(*) FROM article_search JOIN article_state USING (bucket, article_key)"),
      "2");
}

TEST_F(Version5Test, KeysAreInTheOrderOfPublishing) {
  EXPECT_EQ(Sql("SELECT string_agg(first_name, ' ' ORDER BY article_key) FROM article_state"),
            "earlier later");
  ASSERT_TRUE(Publish(MakeArticle("new")).ok());
  EXPECT_EQ(Sql("SELECT name FROM article_state ORDER BY article_key DESC LIMIT 1"), "new");
  EXPECT_EQ(Sql("SELECT bool_and(bucket = article_key % 256) FROM article_state"), "t");
}

TEST_F(Version5Test, RequestsAreRecognisedWhicheverDayTheyAreOf) {
  const std::string comment = CommentName("later", "01980000-0000-7000-8000-000000000002");
  for (const char* n : {"0", "1"}) {
    CommentDeletion again{.comment = *ParseCommentName(comment)};
    again.request = {.id = std::string("2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a1") + n,
                     .fingerprint = "aa"};
    EXPECT_EQ(*Delete(again), 3) << "what it answered the first time";
  }
  EXPECT_EQ(GetOne("later").comment_count(), 2);
  EXPECT_EQ(Sql("SELECT count(*) FROM request_default"), "0");
}

TEST_F(Version5Test, RightsAreKept) {
  const auto may = [this](const std::string& table, const std::string& right) {
    return Sql(absl::StrCat("SELECT has_table_privilege('reader_of_version_5', '", table, "', '",
                            right, "')"));
  };
  EXPECT_EQ(may("comment", "SELECT"), "t");
  EXPECT_EQ(may("comment", "SELECT WITH GRANT OPTION"), "f");
  EXPECT_EQ(may("comment", "INSERT"), "f");
  EXPECT_EQ(may("request", "INSERT WITH GRANT OPTION"), "t");
  EXPECT_EQ(may("request", "DELETE"), "t");
  EXPECT_EQ(may("article_change", "INSERT"), "t") << "as for labels";
  EXPECT_EQ(may("article_change", "SELECT"), "f");
  EXPECT_EQ(may("comment_report", "SELECT"), "t") << "as for comments";
  EXPECT_EQ(may("comment_report", "INSERT"), "f");
  EXPECT_EQ(may("audit_event", "SELECT"), "f") << "it is not for those who only read";
  EXPECT_EQ(may("article", "SELECT"), "f");
}

// The user of the servers may have no other right on a table than that it is theirs.
TEST_F(Version5Test, OwnersAreKept) {
  EXPECT_EQ(Sql("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class "
                "WHERE relkind IN ('r', 'p') AND relname !~ '[0-9]' "
                "AND pg_get_userbyid(relowner) = 'owner_of_version_5'"),
            "article_change article_label audit_event audit_retention author_block comment "
            "comment_report comment_report_count "
            "request request_default");
  EXPECT_EQ(Sql("SELECT pg_get_userbyid(stxowner) FROM pg_statistic_ext "
                "WHERE stxname = 'comment_bucket'"),
            "owner_of_version_5");
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_partition_tree('request') JOIN pg_class ON oid = relid "
                "WHERE pg_get_userbyid(relowner) <> 'owner_of_version_5'"),
            "0");
}

TEST_F(Version5Test, PlansKnowTheNewTables) {
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_class WHERE reltuples < 0 AND oid IN ("
                "'article_change'::regclass, 'article_label'::regclass, 'article_name'::regclass, "
                "'article_state'::regclass, 'article'::regclass, 'comment'::regclass, "
                "'request'::regclass)"),
            "0");
}

class Version5DatesTest : public Version5Test {
 protected:
  void SetUp() override {
    StartFrom(5, absl::StrCat(kVersion5Data, R"sql(
INSERT INTO request (article_id, request_id, fingerprint, create_time, revision, outcome)
SELECT 'later', gen_random_uuid(), '', now() + n * interval '1 day', 3, 0
FROM unnest(ARRAY[-1000, 1000]) AS n
)sql"));
  }
};

TEST_F(Version5DatesTest, RequestsOfStrangeDaysMakeNoPartitions) {
  EXPECT_EQ(Sql("SELECT count(*) FROM request_default"), "2");
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_partition_tree('request') WHERE isleaf"), "34")
      << "30 days, today, two to come, and the default";
}

}  // namespace
}  // namespace content::store
