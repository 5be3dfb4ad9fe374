#include "api/identity.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "content/v1/admin_service.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace content::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// These texts must never change: their digests are stored in databases and in callers' page tokens.
TEST(CanonicalText, HasTheNumbersAndValuesOfTheFieldsThatAreSet) {
  EXPECT_EQ(CanonicalText(v1::ListArticlesRequest()), "content.v1.ListArticlesRequest{}");

  v1::ListArticlesRequest list;
  list.set_page_size(-3);
  list.set_order(v1::ARTICLE_ORDER_OLDEST);
  list.set_author("Ana Lee");
  list.mutable_published_after()->set_seconds(1);
  list.mutable_published_before();
  EXPECT_EQ(CanonicalText(list),
            "content.v1.ListArticlesRequest{1=-3,;3=2,;5=7:Ana Lee;7={1=1,;};8={};}");

  v1::BatchGetArticlesRequest batch;
  batch.add_names("a");
  batch.add_names("");
  batch.set_allow_missing(true);
  EXPECT_EQ(CanonicalText(batch), "content.v1.BatchGetArticlesRequest{1=1:a0:;3=1,;}");

  v1::PublishArticleRequest publish;
  publish.mutable_article()->add_authors()->set_display_name("Ana");
  publish.mutable_article()->add_authors()->set_display_name("Bo");
  EXPECT_EQ(CanonicalText(publish),
            "content.v1.PublishArticleRequest{1={3={1=3:Ana;}{1=2:Bo;};};}");
}

TEST(CanonicalText, LeavesOutTheFieldsItIsTold) {
  v1::ListArticlesRequest request;
  request.set_page_size(3);
  request.set_tag("sea");
  EXPECT_EQ(CanonicalText(request, {"page_size", "not_a_field"}),
            "content.v1.ListArticlesRequest{6=3:sea;}");
}

TEST(CanonicalText, DiffersWhereverTextsCouldRunTogether) {
  std::set<std::string> texts;
  for (const auto& names : {std::vector<std::string>{"ab"},
                            {"a", "b"},
                            {"", "ab"},
                            {"ab", ""},
                            {"a1:b"},
                            {"a;3=1,"},
                            {"a", "1:b"}}) {
    v1::BatchGetArticlesRequest request;
    for (const std::string& name : names) request.add_names(name);
    texts.insert(CanonicalText(request));
  }
  EXPECT_EQ(texts.size(), 7U);
}

TEST(CanonicalText, LeavesOutUnknownFields) {
  v1::ListArticlesRequest request;
  request.set_tag("sea");
  const std::string text = CanonicalText(request);
  request.GetReflection()->MutableUnknownFields(&request)->AddVarint(999, 1);
  EXPECT_EQ(CanonicalText(request), text);
}

// Also through their fields. `seen` holds the types that were checked.
void ExpectCanonicalFields(const Descriptor& type, std::set<const Descriptor*>& seen) {
  if (!seen.insert(&type).second) return;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    EXPECT_FALSE(field.is_map()) << field.full_name();
    EXPECT_NE(field.cpp_type(), FieldDescriptor::CPPTYPE_UINT32) << field.full_name();
    EXPECT_NE(field.cpp_type(), FieldDescriptor::CPPTYPE_UINT64) << field.full_name();
    EXPECT_NE(field.cpp_type(), FieldDescriptor::CPPTYPE_FLOAT) << field.full_name();
    EXPECT_NE(field.cpp_type(), FieldDescriptor::CPPTYPE_DOUBLE) << field.full_name();
    if (field.message_type() != nullptr) ExpectCanonicalFields(*field.message_type(), seen);
  }
}

TEST(CanonicalText, KnowsTheTypesOfAllFieldsOfRequests) {
  std::set<const Descriptor*> seen;
  for (const auto* file : {v1::GetArticleRequest::descriptor()->file(),
                           v1::PublishArticleRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service(0)->method_count(); ++i) {
      ExpectCanonicalFields(*file->service(0)->method(i)->input_type(), seen);
    }
  }
  EXPECT_GT(seen.size(), 23U);
}

}  // namespace
}  // namespace content::api
