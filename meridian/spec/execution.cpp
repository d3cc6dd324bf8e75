#include <meridian/spec/execution.hpp>

#include <meridian/rlp/encode.hpp>

namespace meridian::spec {

Hash logs_hash(const std::vector<state::Log>& logs) {
    rlp::ListBuilder list;
    for (const state::Log& log : logs) {
        rlp::ListBuilder topics;
        for (const Hash& topic : log.topics)
            topics.bytes(topic);
        rlp::ListBuilder item;
        item.bytes(log.address).list(topics).bytes(log.data);
        list.list(item);
    }
    return crypto::keccak256(list.build());
}

}  // namespace meridian::spec
