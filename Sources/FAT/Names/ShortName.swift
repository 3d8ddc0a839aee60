internal import Storage

/// The eleven bytes that every file has for a name: eight and three, blanks behind, capitals.
enum ShortName {
    /// As it is shown: with a dot, small letters where NT's flags say so.
    static func units(_ slot: DirectorySlot, _ codePage: CodePage) -> [UInt16] {
        let flags = slot.bytes[DirectorySlot.Offset.caseFlags]
        let name = slot.name
        func part(_ range: Range<Int>, isSmall: Bool) -> [UInt16] {
            var bytes = name[range]
            while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
            let units = codePage.units(bytes)
            return isSmall ? units.map(FileName.lower) : units
        }
        let base = part(0..<8, isSmall: flags & DirectorySlot.CaseFlag.base != 0)
        let suffix = part(8..<11, isSmall: flags & DirectorySlot.CaseFlag.suffix != 0)
        return suffix.isEmpty ? base : base + [UInt16(UInt8(ascii: "."))] + suffix
    }

    /// What no name of FAT may hold, long or short, beside controls.
    static let forbidden = Set("\"*/:<>?\\|".utf16)
    /// What only long names may hold; DEL, which no rule names, is damage to fsck.fat there.
    static let longOnly = Set("+,;=[]\u{7f}".utf16)
}
