internal import Storage

extension ShortName {
    /// A short name for a new file, as it is stored.
    struct Made: Sendable {
        /// Eleven bytes.
        let raw: [UInt8]
        /// NT's flags for small letters.
        var caseFlags: UInt8 = 0
        /// It does not say all, so that a long name must.
        let needsLong: Bool
    }

    /// Makes a short name that is none of `taken`; nil where all are.
    ///
    /// A name of eight and three is its own short name, in capitals or with NT's flags. Of others the letters that fit are
    /// taken, and a number behind a tilde tells them apart.
    static func make(_ name: FileName, _ codePage: CodePage, taken: Set<[UInt8]>) -> Made? {
        if let exact = exact(name, codePage), !taken.contains(exact.raw) { return exact }
        let basis = Basis(name, codePage)
        let plain = stored(basis.base, basis.suffix)
        if !basis.isLossy, !taken.contains(plain) { return Made(raw: plain, needsLong: true) }
        for number in 1...999_999 {
            let tail = Array("~\(number)".utf8)
            let raw = stored(codePage.prefix(basis.base, 8 - tail.count) + tail, basis.suffix)
            if !taken.contains(raw) { return Made(raw: raw, needsLong: true) }
        }
        return nil
    }

    /// The name itself, where it is one of eight and three with letters of one case in either part.
    private static func exact(_ name: FileName, _ codePage: CodePage) -> Made? {
        let dot = UInt16(UInt8(ascii: "."))
        let parts = name.units.split(separator: dot, omittingEmptySubsequences: false)
        guard parts.count <= 2, (1...8).contains(parts[0].count),
            parts.count == 1 || (1...3).contains(parts[1].count)
        else { return nil }
        var stored: [[UInt8]] = []
        var flags: UInt8 = 0
        for (part, flag) in zip(parts, [DirectorySlot.CaseFlag.base, DirectorySlot.CaseFlag.suffix]) {
            var bytes: [UInt8] = []
            for unit in part {
                guard unit > 0x20, !longOnly.contains(unit), let own = codePage.bytes(FileName.upper(unit))
                else {
                    return nil
                }
                bytes += own
            }
            guard bytes.count <= (stored.isEmpty ? 8 : 3) else { return nil }
            stored.append(bytes)
            if part.contains(where: { FileName.upper($0) != $0 }) { flags |= flag }
        }
        let made = Made(
            raw: self.stored(stored[0], stored.count > 1 ? stored[1] : []), caseFlags: flags, needsLong: false
        )
        // Letters of both cases, and small ones that systems disagree on, do not come back.
        var slot = DirectorySlot(made.raw + [UInt8](repeating: 0, count: 21))
        slot.bytes[DirectorySlot.Offset.caseFlags] = flags
        guard units(slot, codePage) == name.units, flags == 0 || name.units.allSatisfy({ $0 < 0x80 }) else {
            return nil
        }
        return made
    }

    /// The letters of a long name that a short one can have.
    private struct Basis {
        var base: [UInt8] = []
        var suffix: [UInt8] = []
        /// Something was left out or stands for something else.
        var isLossy = false

        init(_ name: FileName, _ codePage: CodePage) {
            let dot = UInt16(UInt8(ascii: "."))
            let units = name.units.drop { $0 == dot || $0 == 0x20 }
            isLossy = units.count != name.units.count
            let end = units.lastIndex(of: dot) ?? units.endIndex
            base = Self.bytes(units[..<end], codePage, &isLossy)
            suffix = end < units.endIndex ? Self.bytes(units[(end + 1)...], codePage, &isLossy) : []
            if base.isEmpty {
                base = [UInt8(ascii: "_")]
                isLossy = true
            }
            if base.count > 8 || suffix.count > 3 { isLossy = true }
            base = codePage.prefix(base, 8)
            suffix = codePage.prefix(suffix, 3)
        }

        private static func bytes(
            _ units: ArraySlice<UInt16>, _ codePage: CodePage, _ isLossy: inout Bool
        ) -> [UInt8] {
            var bytes: [UInt8] = []
            for unit in units {
                if unit == 0x20 || unit == UInt16(UInt8(ascii: ".")) {
                    isLossy = true
                } else if let own = codePage.bytes(FileName.upper(unit)), !longOnly.contains(unit) {
                    bytes += own
                } else {
                    bytes.append(UInt8(ascii: "_"))
                    isLossy = true
                }
            }
            return bytes
        }
    }

    private static func stored(_ base: some Collection<UInt8>, _ suffix: [UInt8]) -> [UInt8] {
        let blank = UInt8(ascii: " ")
        var raw = base + [UInt8](repeating: blank, count: 8 - base.count)
        if raw[0] == DirectorySlot.deletedMark { raw[0] = 0x05 }
        return raw + suffix + [UInt8](repeating: blank, count: 3 - suffix.count)
    }
}

extension FileName {
    /// Whether a file may be given this name: what Windows takes.
    var isAllowed: Bool {
        guard (1...255).contains(units.count), let last = units.last,
            last != UInt16(UInt8(ascii: ".")), last != 0x20,
            !units.contains(where: { $0 < 0x20 || ShortName.forbidden.contains($0) })
        else { return false }
        // Halves of surrogate pairs stand for nothing.
        return String(decoding: units, as: UTF16.self).utf16.elementsEqual(units)
    }

    /// The pieces of a long name as slots, the last piece first.
    func longSlots(for raw: [UInt8]) -> [DirectorySlot] {
        let perSlot = DirectorySlot.unitOffsets.count
        var padded = units
        if padded.count % perSlot != 0 {
            padded.append(0)
            while padded.count % perSlot != 0 { padded.append(0xffff) }
        }
        let count = padded.count / perSlot
        return (0..<count).reversed().map { index in
            var bytes = [UInt8](repeating: 0, count: DirectorySlot.byteCount)
            bytes[DirectorySlot.Offset.order] = UInt8(index + 1) | (index == count - 1 ? 0x40 : 0)
            bytes[DirectorySlot.Offset.attributes] = 0x0f
            bytes[DirectorySlot.Offset.checksum] = DirectorySlot.checksum(raw)
            for (offset, unit) in zip(DirectorySlot.unitOffsets, padded[(index * perSlot)...]) {
                bytes.storeLittle(unit, at: offset)
            }
            return DirectorySlot(bytes)
        }
    }
}
