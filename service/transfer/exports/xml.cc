#include "transfer/exports/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <array>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace content::transfer {
namespace {

constexpr size_t kMaxElementBytes = size_t{64} << 20;
constexpr size_t kMaxXmlDepth = 100;
constexpr size_t kReadBytes = size_t{32} << 10;
// What an element takes beside its texts.
constexpr size_t kElementOverhead = sizeof(XmlElement);

absl::string_view View(const xmlChar* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

absl::string_view View(const xmlChar* begin, const xmlChar* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<size_t>(end - begin)};
}

// Builds elements of what the parser tells. libxml2's own reader (xmlTextReader) builds trees too,
// but puts the pieces of a long CDATA section together in quadratic time.
class Builder {
 public:
  Builder(const XmlShape& shape, VisitXml visit) : shape_(shape), visit_(visit) {}

  void Open(absl::string_view name, absl::string_view prefix, absl::string_view space) {
    ++depth_;
    if (path_.empty() && depth_ != shape_.depth + 1) return;
    Count(kElementOverhead + name.size() + space.size());
    path_.push_back(
        {.name = std::string(name), .space = std::string(space.empty() ? prefix : space)});
    if (path_.size() > kMaxXmlDepth) Fail("elements are too deep in each other");
  }

  void AddAttribute(absl::string_view name, absl::string_view value) {
    if (path_.empty()) return;
    Count(name.size() + value.size());
    path_.back().attributes.emplace_back(name, value);
  }

  void AddText(absl::string_view text) {
    if (path_.empty()) return;
    Count(text.size());
    path_.back().text.append(text.data(), text.size());
  }

  void Close() {
    --depth_;
    if (path_.empty()) return;
    XmlElement element = std::move(path_.back());
    path_.pop_back();
    if (path_.empty()) {
      bytes_ = 0;
      has_ended_ = !visit_(element, nullptr);
    } else if (element.name == shape_.detached_name) {
      bytes_ = kept_bytes_;
      has_ended_ = !visit_(element, &path_.front());
    } else {
      path_.back().children.push_back(std::move(element));
      // What is detached comes right below the element that is visited.
      if (path_.size() == 1) kept_bytes_ = bytes_;
    }
  }

  void Fail(absl::string_view problem) {
    if (problem_.empty()) problem_ = std::string(problem);
    has_ended_ = true;
  }

  bool has_ended() const { return has_ended_; }
  const std::string& problem() const { return problem_; }

 private:
  void Count(size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > kMaxElementBytes) Fail("an element is too large");
  }

  const XmlShape& shape_;
  const VisitXml visit_;
  size_t depth_ = 0;
  std::vector<XmlElement> path_;  // to the element that is open, from the one to be visited
  size_t bytes_ = 0;
  size_t kept_bytes_ = 0;
  bool has_ended_ = false;
  std::string problem_;
};

xmlParserCtxt& ContextOf(void* context) { return *static_cast<xmlParserCtxt*>(context); }

Builder& BuilderOf(void* context) { return *static_cast<Builder*>(ContextOf(context)._private); }

void StopIfEnded(void* context) {
  if (BuilderOf(context).has_ended()) xmlStopParser(&ContextOf(context));
}

void OnOpen(void* context, const xmlChar* name, const xmlChar* prefix, const xmlChar* space,
            int /*namespace_count*/, const xmlChar** /*namespaces*/, int attribute_count,
            int /*default_count*/, const xmlChar** attributes) {
  Builder& builder = BuilderOf(context);
  if (builder.has_ended()) return;
  builder.Open(View(name), View(prefix), View(space));
  constexpr int kPartsOfAttribute = 5;  // name, prefix, namespace, begin, end
  for (int i = 0; i < attribute_count; ++i, attributes += kPartsOfAttribute) {
    builder.AddAttribute(View(attributes[0]), View(attributes[3], attributes[4]));
  }
  StopIfEnded(context);
}

void OnClose(void* context, const xmlChar* /*name*/, const xmlChar* /*prefix*/,
             const xmlChar* /*space*/) {
  if (BuilderOf(context).has_ended()) return;
  BuilderOf(context).Close();
  StopIfEnded(context);
}

void OnText(void* context, const xmlChar* text, int size) {
  if (BuilderOf(context).has_ended()) return;
  BuilderOf(context).AddText(View(text, text + size));
  StopIfEnded(context);
}

void OnEntityDeclaration(void* context, const xmlChar* /*name*/, int /*type*/,
                         const xmlChar* /*public_id*/, const xmlChar* /*system_id*/,
                         xmlChar* /*content*/) {
  BuilderOf(context).Fail("it declares entities, as no export does");
  xmlStopParser(&ContextOf(context));
}

// Prefixes without a namespace are no fatal errors. They are common in old exports.
void OnError(void* context, const xmlError* error) {
  if (error->level != XML_ERR_FATAL) return;
  const absl::string_view message = error->message == nullptr ? "" : error->message;
  BuilderOf(context).Fail(
      absl::StrCat("line ", error->line, ": ", absl::StripAsciiWhitespace(message)));
}

xmlSAXHandler Handler() {
  xmlSAXHandler handler = {};
  handler.initialized = XML_SAX2_MAGIC;
  handler.startElementNs = OnOpen;
  handler.endElementNs = OnClose;
  handler.characters = OnText;
  handler.cdataBlock = OnText;
  handler.entityDecl = OnEntityDeclaration;
  // libxml2 12 made the parameter const.
  handler.serror = reinterpret_cast<xmlStructuredErrorFunc>(OnError);
  return handler;
}

bool IsForbiddenInXml(char c) {
  return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t' && c != '\n' &&
         c != '\r' && c != '\0' && c != '\x7f';
}

// Returns whether a file begins with the byte order mark of UTF-16.
bool IsUtf16(absl::string_view bytes) {
  return absl::StartsWith(bytes, "\xFE\xFF") || absl::StartsWith(bytes, "\xFF\xFE");
}

}  // namespace

const XmlElement* XmlElement::Child(absl::string_view child_name) const {
  const auto child =
      std::find_if(children.begin(), children.end(),
                   [child_name](const XmlElement& at) { return at.name == child_name; });
  return child == children.end() ? nullptr : &*child;
}

absl::string_view XmlElement::TextOf(absl::string_view child_name) const {
  const XmlElement* const child = Child(child_name);
  return child == nullptr ? "" : absl::StripAsciiWhitespace(child->text);
}

absl::string_view XmlElement::Attribute(absl::string_view attribute_name) const {
  const auto attribute =
      std::find_if(attributes.begin(), attributes.end(),
                   [attribute_name](const auto& at) { return at.first == attribute_name; });
  return attribute == attributes.end() ? "" : absl::string_view(attribute->second);
}

absl::Status ReadXml(ExportFile& file, const XmlShape& shape, VisitXml visit) {
  Builder builder(shape, visit);
  xmlSAXHandler handler = Handler();
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> context(
      xmlCreatePushParserCtxt(&handler, nullptr, nullptr, 0, nullptr), &xmlFreeParserCtxt);
  if (context == nullptr) return absl::ResourceExhaustedError("there is no memory for a parser");
  xmlCtxtUseOptions(context.get(), XML_PARSE_NONET);
  context->_private = &builder;
  std::array<char, kReadBytes> piece;
  bool has_begun = false;
  while (!builder.has_ended()) {
    const absl::StatusOr<size_t> count = file.Read(piece.data(), piece.size());
    if (!count.ok()) return count.status();
    std::replace_if(piece.begin(), piece.begin() + *count, IsForbiddenInXml, ' ');
    const absl::string_view bytes(piece.data(), *count);
    // What stands before the first element is a slip of an editor.
    const size_t begin = has_begun || IsUtf16(bytes) ? 0 : std::min(bytes.find('<'), bytes.size());
    has_begun = begin < bytes.size();
    xmlParseChunk(context.get(), bytes.data() + begin, static_cast<int>(bytes.size() - begin),
                  bytes.empty() ? 1 : 0);
    if (bytes.empty()) break;
  }
  if (builder.problem().empty()) return absl::OkStatus();
  return absl::DataLossError(builder.problem());
}

}  // namespace content::transfer
