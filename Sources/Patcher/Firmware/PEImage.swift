internal import Storage

/// What the head of a program for UEFI tells (Microsoft, "PE Format"): the machine it is for, its sections, and where the
/// certificates lie that it is signed by.
package struct PEImage: Sendable, Equatable {
    /// The machine that a program is for; raw values are `Machine` of the COFF header.
    package enum Machine: UInt16, Sendable, CaseIterable {
        /// x86-64.
        case x64 = 0x8664
        /// ARM, 64 bits.
        case aa64 = 0xaa64
        /// x86, 32 bits.
        case ia32 = 0x014c
        /// RISC-V, 64 bits.
        case riscv64 = 0x5064

        /// As loaders have it in their names: "shimx64.efi", "BOOTX64.EFI" in the other case.
        package var suffix: String {
            switch self {
            case .x64: "x64"
            case .aa64: "aa64"
            case .ia32: "ia32"
            case .riscv64: "riscv64"
            }
        }

        /// The machine of a guest's programs, as `Inspection.architecture` names it.
        init?(architecture: String?) {
            switch architecture {
            case "x86_64"?: self = .x64
            case "aarch64"?: self = .aa64
            case "i386"?: self = .ia32
            default: return nil
            }
        }
    }

    /// A section's bytes in the file.
    package struct Section: Sendable, Equatable {
        /// Its name, at most eight letters.
        package var name: String
        /// Its first byte in the file.
        package var offset: UInt64
        /// How many bytes it has there.
        package var byteCount: Int
    }

    /// The machine; nil for one that is none of UEFI's here.
    package var machine: Machine?
    /// The sections, in order.
    package var sections: [Section]
    /// The table of certificates, in bytes of the file; nil in a program that is not signed.
    package var certificates: (offset: UInt64, byteCount: Int)? {
        certificateByteCount > 0 ? (certificateOffset, certificateByteCount) : nil
    }
    private var certificateOffset: UInt64 = 0
    private var certificateByteCount = 0
    private var isForUEFI = false
    private var isDriver = false
    /// How many bytes its head says that the file has at least.
    private var neededByteCount: UInt64 = 0

    /// The head of a program is looked for in so many bytes.
    static let headByteCount = 8192
    /// More sections than any loader has.
    private static let sectionLimit = 96

    /// Reads the first bytes of a file; nil where they are no PE program's.
    package init?(head: [UInt8]) {
        guard head.count >= 64, head.starts(with: [0x4d, 0x5a]) else { return nil }
        let start = Int(head.little(60, as: UInt32.self))
        guard let optional = start +? 24, optional <= head.count,
            Array(head[start..<start + 4]) == [0x50, 0x45, 0, 0]
        else { return nil }
        machine = Machine(rawValue: head.little(start + 4))
        if optional + 70 <= head.count {
            // IMAGE_SUBSYSTEM_EFI_APPLICATION and the two kinds of drivers.
            let subsystem = head.little(optional + 68, as: UInt16.self)
            isForUEFI = (10...12).contains(subsystem)
            isDriver = isForUEFI && subsystem != 10
            neededByteCount = UInt64(head.little(optional + 60, as: UInt32.self))
        }
        let count = Int(head.little(start + 6, as: UInt16.self))
        let table = optional + Int(head.little(start + 20, as: UInt16.self))
        sections = []
        for index in 0..<min(count, Self.sectionLimit) {
            let row = table + index * 40
            guard row + 40 <= head.count else { break }
            let used = head.little(row + 8, as: UInt32.self)
            let kept = head.little(row + 16, as: UInt32.self)
            let offset = UInt64(head.little(row + 20, as: UInt32.self))
            sections.append(
                Section(
                    name: String(decoding: head[row..<row + 8].prefix { $0 != 0 }, as: UTF8.self),
                    offset: offset, byteCount: Int(used == 0 ? kept : min(used, kept))))
            if kept > 0 { neededByteCount = max(neededByteCount, offset + UInt64(kept)) }
        }
        neededByteCount = max(neededByteCount, UInt64(table + count * 40))
        readCertificates(head, optional, end: min(table, head.count))
        if let certificates {
            neededByteCount = max(
                neededByteCount, certificates.offset + UInt64(certificates.byteCount))
        }
    }

    /// Why firmware does not start a program of so many bytes; nil where it is none of these. EDK II's loader looks at the
    /// same: the subsystem, and the last byte of the head, of each section and of the certificates.
    func fault(ofFile byteCount: UInt64) -> Fault? {
        guard isForUEFI else { return .notForUEFI }
        guard !isDriver else { return .driver }
        guard neededByteCount <= byteCount else { return .truncated }
        return sections.isEmpty ? .truncated : nil
    }

    /// Why no firmware starts a file.
    package enum Fault: Sendable, Equatable {
        /// It has no byte.
        case empty
        /// It is no PE program.
        case noProgram
        /// It is a program for another system than UEFI.
        case notForUEFI
        /// It is a driver: it starts and gives control back.
        case driver
        /// It ends before what its head says that it holds.
        case truncated
        /// It is for another machine.
        case otherMachine
        /// It is a directory.
        case directory
        /// The file system does not give all of it.
        case unreadable
    }

    /// The fifth data directory: the one directory whose place is one in the file.
    private mutating func readCertificates(_ head: [UInt8], _ optional: Int, end: Int) {
        guard optional + 2 <= end else { return }
        let directories: Int
        switch head.little(optional, as: UInt16.self) {
        case 0x20b: directories = optional + 112
        case 0x10b: directories = optional + 96
        default: return
        }
        guard directories + 40 <= end, head.little(directories - 4, as: UInt32.self) > 4 else { return }
        certificateOffset = UInt64(head.little(directories + 32, as: UInt32.self))
        certificateByteCount = Int(head.little(directories + 36, as: UInt32.self))
    }

    /// The section of that name.
    package func section(_ name: String) -> Section? { sections.first { $0.name == name } }
}

extension PEImage.Fault {
    /// For people, behind the name of the file.
    var words: String {
        switch self {
        case .empty: "is empty"
        case .noProgram: "is no program (no PE image)"
        case .notForUEFI: "is no program for UEFI"
        case .driver: "is a driver, which starts no system"
        case .truncated: "ends before what its head says that it holds"
        case .otherMachine: "is a program for another machine"
        case .directory: "is a directory"
        case .unreadable: "cannot be read whole: its file system is damaged there"
        }
    }
}
