internal import Storage

extension QCOW2Header {
    /// Refuses, each by its name, what reading the guest's disk would need and is not built or not allowed.
    func requireReadable() throws(StorageError) {
        if cryptMethod != 0 {
            throw .qcow2(
                .encrypted,
                "the image is encrypted (\(cryptMethod == 1 ? "AES" : "LUKS")), which is not built yet",
                structure: "header", field: "crypt_method")
        }
        if incompatible.contains(.dataFile) {
            throw .qcow2(
                .dataFile,
                "the guest's data lies in another file, \"\((extensions.dataFile ?? []).displayText)\", which is "
                    + "not built yet; copy it into one file with qemu-img convert", structure: "header",
                field: "incompatible_features")
        }
        if incompatible.contains(.extendedL2) {
            throw .qcow2(
                .extendedL2,
                "the image has extended L2 entries (subclusters), which are not built yet; "
                    + "copy it into a plain one with qemu-img convert", structure: "header",
                field: "incompatible_features")
        }
    }

    /// Refuses, each by its name, what makes changing the image unsafe.
    func requireWritable() throws(StorageError) {
        if incompatible.contains(.corrupt) {
            throw .qcow2(
                .markedCorrupt,
                "the image is marked corrupt and can only be read; repair it with qemu-img check -r all",
                structure: "header", field: "incompatible_features")
        }
        if incompatible.contains(.dirty) {
            throw .qcow2(
                .dirty,
                "the image was not closed and its refcounts cannot be trusted; "
                    + "repair it with qemu-img check -r all", structure: "header",
                field: "incompatible_features")
        }
        if snapshotCount > 0 {
            throw .qcow2(
                .snapshots,
                "the image holds \(snapshotCount) internal snapshots and can only be read; "
                    + "delete them, or copy the disk with convert", structure: "header",
                field: "nb_snapshots")
        }
    }

    /// The L1 table has to be there before it is looked at.
    func requireL1(in file: any ByteFile) throws(StorageError) {
        let length = file.byteCount
        guard l1Count == 0 || (l1Offset <= length && UInt64(l1Count) * 8 <= length - l1Offset) else {
            throw .qcow2(
                .l1Offset,
                "the L1 table at \(l1Offset.hex) does not lie in the file; the file is truncated or damaged",
                structure: "header", field: "l1_table_offset", offset: UInt64(Field.l1Offset))
        }
    }
}
