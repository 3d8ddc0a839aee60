/// Changed pages over something that is not changed: what an overlay device and a recorded file share.
package struct PageOverlay: Sendable {
    /// Bytes of a page.
    package static let pageSize: UInt64 = 4096

    private var pages: [UInt64: [UInt8]] = [:]
    /// Sorted page numbers, so that the next changed page after a position is found without a scan.
    private var order: [UInt64] = []

    /// Nothing is changed.
    package init() {}

    /// Bytes of memory that the changed pages take.
    package var byteCount: Int { pages.count * Int(Self.pageSize) }

    /// Puts the changed bytes over what `target` holds of the base from byte `offset` on.
    package func apply(to target: inout MutableRawSpan, at offset: UInt64) {
        guard !pages.isEmpty, target.byteCount > 0 else { return }
        let end = offset + UInt64(target.byteCount)
        var slot = firstSlot(notBelow: offset / Self.pageSize)
        while slot < order.count, order[slot] * Self.pageSize < end {
            let pageStart = order[slot] * Self.pageSize
            if let page = pages[order[slot]] {
                let from = max(offset, pageStart)
                let to = min(end, pageStart + Self.pageSize)
                target.copy(
                    page.span8.extracting(Int(from - pageStart)..<Int(to - pageStart)), to: Int(from - offset)
                )
            }
            slot += 1
        }
    }

    /// The starts of the pages that a change of `range` touches only in part and that are not held yet: `write` needs
    /// what the base has there.
    package func edgesNotHeld(of range: Range<UInt64>) -> [UInt64] {
        var edges: [UInt64] = []
        for end in [range.lowerBound, range.upperBound] where end % Self.pageSize != 0 && !range.isEmpty {
            let index = end / Self.pageSize
            if pages[index] == nil, edges.last != index * Self.pageSize {
                edges.append(index * Self.pageSize)
            }
        }
        return edges
    }

    /// Changes bytes. `edges` has the base's content of the pages that `edgesNotHeld` names, by their starts; false,
    /// and nothing changed, when one is missing.
    package mutating func write(_ source: RawSpan, at offset: UInt64, edges: [UInt64: [UInt8]]) -> Bool {
        let needed = edgesNotHeld(of: offset..<offset + UInt64(source.byteCount))
        guard needed.allSatisfy({ edges[$0] != nil }) else { return false }
        var position = offset
        let end = offset + UInt64(source.byteCount)
        while position < end {
            let index = position / Self.pageSize
            let pageStart = index * Self.pageSize
            let step = min(end, pageStart + Self.pageSize)
            if pages[index] == nil {
                var page = edges[pageStart] ?? []
                page += [UInt8](repeating: 0, count: Int(Self.pageSize) - page.count)
                order.insert(index, at: firstSlot(notBelow: index))
                pages[index] = page
            }
            let from = Int(position - offset)
            let part = source.extracting(from..<from + Int(step - position))
            pages[index, default: []].withMutableBytes { $0.copy(part, to: Int(position - pageStart)) }
            position = step
        }
        return true
    }

    /// Zeroes what is held past byte `length`, so that a file that shrinks and grows again reads zeros there.
    package mutating func truncate(to length: UInt64) {
        let keep = firstSlot(notBelow: length.dividedRoundingUp(by: Self.pageSize))
        for index in order[keep...] { pages[index] = nil }
        order.removeSubrange(keep...)
        let rest = length % Self.pageSize
        if rest != 0, pages[length / Self.pageSize] != nil {
            pages[length / Self.pageSize, default: []].withMutableBytes {
                $0.zero(Int(rest)..<Int(Self.pageSize))
            }
        }
    }

    /// The end of the run of changed pages that `offset` lies in, or nil when its page is unchanged.
    package func endOfRun(at offset: UInt64) -> UInt64? {
        var index = offset / Self.pageSize
        guard pages[index] != nil else { return nil }
        repeat { index += 1 } while pages[index] != nil
        return index * Self.pageSize
    }

    /// The start of the first changed page after the page of `offset`.
    package func nextRun(after offset: UInt64) -> UInt64? {
        let slot = firstSlot(notBelow: offset / Self.pageSize + 1)
        return slot < order.count ? order[slot] * Self.pageSize : nil
    }

    private func firstSlot(notBelow index: UInt64) -> Int { order.firstIndex(sortedBy: { $0 >= index }) }
}
