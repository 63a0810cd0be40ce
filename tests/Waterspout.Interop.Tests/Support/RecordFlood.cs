namespace Waterspout.Interop.Tests;

/// <summary>A TLS client that sends a flood of small records, made beforehand, so that sending them costs it nothing.</summary>
/// <remarks>
/// The records are made by hand, with the secret of the session: made by OpenSSL one by one, they arrive so slowly that a server without any limit
/// serves other connections between them. After the flood comes a line, whose echo must arrive before EOF.
/// </remarks>
internal static class RecordFlood
{
    /// <summary>The line at the end: longer than the session tickets, which arrive as well.</summary>
    private const int LineLength = 4000;

    /// <summary>
    /// Arguments: port, kind, version, count. Kinds: <c>0</c> a key update, <c>1</c> one that requests the same in return, <c>byte</c>,
    /// <c>empty</c>. Versions: <c>1.2</c>, without key updates, and <c>1.3</c>. Prints "begun", "full" when the kernel takes no more, and at
    /// the end the count, or what is missing of the echo.
    /// </summary>
    internal static readonly string Program = $$"""
        import ctypes, hashlib, hmac, os, socket, ssl, struct, sys, tempfile
        port, kind, old, count = int(sys.argv[1]), sys.argv[2], sys.argv[3] == '1.2', int(sys.argv[4])
        C, V, I = ctypes.CDLL('libcrypto.so.3'), ctypes.c_void_p, ctypes.c_int
        for f in 'EVP_CIPHER_CTX_new EVP_aes_128_gcm EVP_aes_256_gcm'.split(): getattr(C, f).restype = V
        C.EVP_EncryptInit_ex.argtypes = [V, V, V, ctypes.c_char_p, ctypes.c_char_p]
        C.EVP_EncryptUpdate.argtypes = [V, ctypes.c_char_p, ctypes.POINTER(I), ctypes.c_char_p, I]
        C.EVP_CIPHER_CTX_ctrl.argtypes = [V, I, I, ctypes.c_char_p]
        C.EVP_EncryptFinal_ex.argtypes = [V, ctypes.c_char_p, ctypes.POINTER(I)]
        with tempfile.NamedTemporaryFile() as log:
            c = ssl._create_unverified_context()
            c.minimum_version = c.maximum_version = ssl.TLSVersion.TLSv1_2 if old else ssl.TLSVersion.TLSv1_3
            c.set_ciphers('AES128+AESGCM')
            c.keylog_filename = log.name
            hello = []
            c._msg_callback = lambda s, way, version, kind, message, data: hello.append(data) if message == 2 else None
            s = c.wrap_socket(socket.create_connection(('127.0.0.1', port)))
            line = 'CLIENT_RANDOM' if old else 'CLIENT_TRAFFIC_SECRET_0'
            random, secret = [[bytes.fromhex(part) for part in l.split()[1:]] for l in open(log.name) if l.startswith(line)][0]
        hash = hashlib.sha384 if len(secret) == 48 else hashlib.sha256
        size = 32 if len(secret) == 48 else 16
        cipher = C.EVP_aes_256_gcm() if size == 32 else C.EVP_aes_128_gcm()
        x, out, n = C.EVP_CIPHER_CTX_new(), ctypes.create_string_buffer(5000), I()
        def expand(label, n): # HKDF-Expand-Label of RFC 8446, 7.1
            label = b'tls13 ' + label
            return hmac.digest(secret, struct.pack('>HB', n, len(label)) + label + b'\0\1', hash)[:n]
        def use(next):
            global secret, iv, sent
            secret, sent = next, 0
            iv = int.from_bytes(expand(b'iv', 12), 'big')
            assert C.EVP_EncryptInit_ex(x, cipher, None, expand(b'key', size), None) == 1
        def prf(seed, n): # RFC 5246, 5
            out, a = b'', seed
            while len(out) < n:
                a = hmac.digest(secret, a, 'sha256')
                out += hmac.digest(secret, a + seed, 'sha256')
            return out[:n]
        def record12(data):
            global sent
            number = sent.to_bytes(8, 'big')
            C.EVP_EncryptInit_ex(x, None, None, None, salt + number)
            C.EVP_EncryptUpdate(x, None, n, number + b'\x17\x03\x03' + struct.pack('>H', len(data)), 13)
            C.EVP_EncryptUpdate(x, out, n, data, len(data))
            body = out.raw[:len(data)]
            C.EVP_EncryptFinal_ex(x, out, n)
            C.EVP_CIPHER_CTX_ctrl(x, 16, 16, out) # the tag
            sent += 1
            return b'\x17\x03\x03' + struct.pack('>H', len(data) + 24) + number + body + out.raw[:16]
        def record(data, type=b'\x17'):
            global sent
            if old: return record12(data)
            head = b'\x17\x03\x03' + struct.pack('>H', len(data) + 17)
            C.EVP_EncryptInit_ex(x, None, None, None, (iv ^ sent).to_bytes(12, 'big'))
            C.EVP_EncryptUpdate(x, None, n, head, 5)
            C.EVP_EncryptUpdate(x, out, n, data + type, len(data) + 1)
            body = out.raw[:n.value]
            C.EVP_EncryptFinal_ex(x, out, n)
            C.EVP_CIPHER_CTX_ctrl(x, 16, 16, out) # the tag
            sent += 1
            return head + body + out.raw[:16]
        def update(requested):
            made = record(b'\x18\0\0\1' + bytes([requested]), b'\x16')
            use(expand(b'traffic upd', len(secret)))
            return made
        if old:
            keys = prf(b'key expansion' + hello[0][6:38] + random, 36)
            salt, sent = keys[32:], 1 # Finished was 0
            assert C.EVP_EncryptInit_ex(x, C.EVP_aes_128_gcm(), None, keys[:16], None) == 1
        else: use(secret)
        # OpenSSL takes no more than 32 empty records in a row.
        make = { 'byte': lambda i: record(b'x'), 'empty': lambda i: record(b'' if i % 32 else b'x') }.get(kind) or (lambda i: update(int(kind)))
        flood = b''.join([make(i) for i in range(count)] + [record(b'x' * {{LineLength}} + b'\n')])
        print('begun', flush=True)
        fd = socket.socket(fileno=os.dup(s.fileno()))
        rest = memoryview(flood)
        fd.setblocking(False)
        try:
            while rest: rest = rest[fd.send(rest):]
        except BlockingIOError: pass
        print('full', flush=True)
        fd.setblocking(True)
        fd.sendall(rest)
        fd.shutdown(socket.SHUT_WR)
        left = {{LineLength}} + (count if kind == 'byte' else count // 32 if kind == 'empty' else 0)
        while got := len(fd.recv(65536)): left -= got
        print(count if left <= 0 else f'{left} bytes missing', flush=True)
        """;
}
