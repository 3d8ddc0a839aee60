internal import Storage

/// Why a file that no format claims is not taken for a plain disk.
enum PieceCode: String, LayerCode, CaseIterable {
    static let layer = "image"

    case pieceOfSplitDisk = "piece-of-split-disk"
    case notWhatItsNameSays = "not-what-its-name-says"
}

extension ImageProbe {
    /// Throws `refused` for what its name calls one piece of a split VMware disk, as in `web01-f001.vmdk`: its bytes look
    /// like a plain disk that begins or ends somewhere.
    static func requireWhole(_ file: any ByteFile) throws(StorageError) {
        let name = HostPath.name(of: file.path).lowercased()
        // A fixed VHD is known by its last sector alone: cut off, it looks like a plain disk of half the length.
        // What VMware calls the data of a flat disk is plain.
        let isFlat = ["-flat.vmdk", "-rdm.vmdk", "-rdmp.vmdk"].contains(where: name.hasSuffix)
        let isPiece = isPiece(name)
        if let format = ImageFormat(suffixOf: name), format != .raw, !isFlat, !isPiece {
            throw StorageError(
                .refused, PieceCode.notWhatItsNameSays,
                "its name ends as those of \(format.rawValue) images do, and nothing in it does: it is cut off, or a plain disk under that name",
                path: file.path, remedies: [.nameFormat(ImageFormat.raw.rawValue)])
        }
        guard isPiece else { return }
        throw StorageError(
            .refused, PieceCode.pieceOfSplitDisk,
            "its name says that it is one piece of a split VMware disk, which is opened by its descriptor file",
            path: file.path, remedies: [.nameFormat(ImageFormat.raw.rawValue)])
    }

    /// Whether a name ends as VMware calls the pieces of a split disk.
    private static func isPiece(_ name: String) -> Bool {
        guard name.hasSuffix(".vmdk"), let dash = name.lastIndex(of: "-") else { return false }
        let piece = name[name.index(after: dash)...].dropLast(5)
        return (piece.first == "f" || piece.first == "s") && piece.count >= 4
            && piece.dropFirst().allSatisfy { ("0"..."9").contains($0) }
    }
}
