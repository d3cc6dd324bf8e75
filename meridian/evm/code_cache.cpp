#include <meridian/evm/code_cache.hpp>

namespace meridian::evm {

CodeCache::CodeCache(std::size_t bytes_max) : m_bytes_max(bytes_max) {}
CodeCache::~CodeCache() = default;

Code& CodeCache::find(const Hash& hash, BytesView bytes, Revision revision, bool stepped) {
    const Key key{hash, revision, stepped};
    if (m_last != nullptr && m_last_key == key)
        return *m_last;
    std::unique_ptr<Code>& code = m_codes[key];
    if (code == nullptr)
        code = std::make_unique<Code>(bytes, revision, stepped, m_translator);
    m_last = code.get();
    m_last_key = key;
    return *code;
}

void CodeCache::clear() {
    m_codes.clear();
    m_last = nullptr;
}

void CodeCache::trim() {
    m_frames.trim();
    if (m_translator.bytes_held() <= m_bytes_max)
        return;
    clear();
}

}  // namespace meridian::evm
