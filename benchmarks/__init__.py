"""性能比较：``python -m benchmarks`` 运行全部，结果写进 results.json；书里的“性能”一页由它生成。"""
